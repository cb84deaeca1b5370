/** Parts that several pages are made of. */

import { h, put } from "../shared/dom.js";

/** A labelled control. @param {string} label @param {Element} control @param {string} [hint] */
export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", null, label), control, hint ? h("small", null, hint) : null);
}

/**
 * A table that scrolls sideways by itself where it is too wide.
 *
 * @param {string[]} heads
 * @param {HTMLTableSectionElement} body
 * @param {string} label
 * @param {Element} [first] What is at the head of the first column.
 */
export function table(heads, body, label, first) {
  const cells = heads.map((head, at) => (at === 0 && first ? h("td", null, first) : h("th", { scope: "col" }, head)));
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    h("table", null, h("thead", null, h("tr", null, cells)), body),
  );
}

/**
 * Buttons that lead through the pages of a connection.
 *
 * @param {() => void} read Called when another page is wanted; it passes the page's `pageInfo` to `show`.
 */
export function pager(read) {
  /** @type {(string | null)[]} */
  let behind = [null];
  let next = "";
  const turn = (/** @type {number} */ by) => {
    behind = by > 0 ? [...behind, next] : behind.slice(0, -1);
    read();
  };
  const newer = h("button", { type: "button", onclick: () => turn(-1) }, "Back");
  const older = h("button", { type: "button", onclick: () => turn(1) }, "More");
  const element = h("div", { class: "pager" }, newer, older);
  return {
    element,
    get after() {
      return behind[behind.length - 1];
    },
    start() {
      behind = [null];
    },
    /** @param {{hasNextPage: boolean, endCursor: string}} info */
    show(info) {
      next = info.endCursor;
      newer.toggleAttribute("disabled", behind.length < 2);
      older.toggleAttribute("disabled", !info.hasNextPage);
      element.hidden = behind.length < 2 && !info.hasNextPage;
    },
  };
}

/**
 * Ask before something is done that can't be taken back, or needs to be explained.
 *
 * @param {string} question
 * @param {string} [more] What it means.
 * @param {...(HTMLElement | null)} fields What else is asked.
 */
export function confirmed(question, more, ...fields) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-label": question },
      h(
        "form",
        { method: "dialog" },
        h("p", null, h("strong", null, question)),
        more ? h("p", null, more) : null,
        ...fields,
        h(
          "div",
          { class: "actions" },
          h("button", { value: "yes", class: "main" }, "Yes"),
          h("button", { value: "", formnovalidate: true }, "No"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A JSON value, indented. @param {unknown} value */
export function json(value) {
  return h("pre", { class: "json", tabindex: 0 }, JSON.stringify(value, null, 2) ?? "");
}

/** Names and what they stand for. @param {[string, Node | string | number | null | undefined][]} pairs */
export function facts(pairs) {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    there.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
  );
}

/**
 * Tabs (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/): arrows move between them.
 *
 * @param {string} label
 * @param {{name: string, title: string, show: () => Element}[]} all
 * @param {string} first Name of the one that is shown at first.
 * @param {(name: string) => void} [changed]
 */
export function tabs(label, all, first, changed) {
  const panel = h("div", { role: "tabpanel", id: `${label}-panel` });
  const heads = all.map(({ name, title }) =>
    h(
      "button",
      { type: "button", role: "tab", id: `${label}-${name}`, "aria-controls": panel.id, onclick: () => choose(name) },
      title,
    ),
  );
  const choose = (/** @type {string} */ name) => {
    const at = Math.max(
      0,
      all.findIndex((each) => each.name === name),
    );
    heads.forEach((head, place) => {
      head.setAttribute("aria-selected", String(place === at));
      head.tabIndex = place === at ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", heads[at].id);
    put(panel, all[at].show());
    changed?.(all[at].name);
  };
  const turn = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = heads.findIndex((head) => head.tabIndex === 0);
    const next = (at + step + heads.length) % heads.length;
    choose(all[next].name);
    heads[next].focus();
  };
  choose(first);
  const list = h("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown: turn }, heads);
  return { element: h("div", null, list, panel), list, choose };
}
