/** The list of flows: what is where, and what to do about many of them at once. */

import { h, put, say } from "../shared/dom.js";
import { PoolError, ask } from "../shared/graphql.js";
import { FlowState } from "../src/schema.js";
import { ago, capital, counted, moment, span } from "../shared/words.js";
import { keepReading, livenessLine } from "./live.js";
import { confirmed, field, pager, table } from "./parts.js";
import { FLOW_STATES, badge, named, stateBar } from "./states.js";

const FLOWS = `query ($first: Int!, $after: String, $state: FlowState, $owner: String) {
  flows(first: $first, after: $after, state: $state, owner: $owner) {
    pageInfo { hasNextPage endCursor }
    nodes {
      key name owner state reason jobCount levelCount createdAt finishedAt
      progress { fraction total etaSeconds byState { completed skipped running queued waiting cancelled failed } }
    }
  }
}`;
const PAGE = 25;
const AT_ONCE = 4;
const STEPS = {
  cancel: { mutation: "cancelFlow", from: [FlowState.RUNNING, FlowState.PAUSED] },
  retry: { mutation: "retryFlow", from: [FlowState.FAILED, FlowState.CANCELLED] },
};

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function flowsPage(main, { query, signal, go }) {
  document.title = "Flows - comp-pool";
  const page = new FlowList(query, signal, go);
  put(main, page.element);
  await keepReading(() => page.read(), page.status, signal);
}

class FlowList {
  /** @param {URLSearchParams} query @param {AbortSignal} signal @param {import("./main.js").Visit["go"]} go */
  constructor(query, signal, go) {
    this.signal = signal;
    this.state = query.get("state") ?? "";
    this.owner = query.get("owner") ?? "";
    this.go = go;
    /** @type {any[]} */
    this.flows = [];
    /** @type {Set<string>} */
    this.chosen = new Set();
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
    const { line, status } = livenessLine();
    this.status = status;
    this.note = h("p", { class: "note", role: "status" });
    this.body = h("tbody");
    this.pager = pager(() => this.read());
    this.all = h("input", { type: "checkbox", "aria-label": "Choose all", onchange: () => this.chooseAll() });
    this.steps = Object.entries(STEPS).map(([verb, step]) => ({
      ...step,
      verb: capital(verb),
      button: h("button", { type: "button", onclick: () => this.carryOut(verb, step) }),
    }));
    this.element = h(
      "section",
      null,
      h("div", { class: "head" }, h("h1", null, "Flows"), line),
      h(
        "div",
        { class: "tools" },
        this.filters(),
        h(
          "div",
          { class: "actions" },
          this.steps.map((step) => step.button),
        ),
      ),
      this.note,
      table(["", "flow", "state", "owner", "progress", "submitted", "took"], this.body, "Flows", this.all),
      this.pager.element,
    );
    this.settle();
  }

  filters() {
    const states = FLOW_STATES.map((state) =>
      h("option", { value: state, selected: state === this.state }, named(state)),
    );
    const state = h("select", null, h("option", { value: "" }, "any"), states);
    const owner = h("input", { type: "search", value: this.owner, autocomplete: "off" });
    const change = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.state = state.value;
      this.owner = owner.value.trim();
      this.go({ state: this.state, owner: this.owner });
      this.pager.start();
      this.chosen.clear();
      this.read();
    };
    return h(
      "form",
      { class: "filters", onsubmit: change, onchange: change },
      field("state", state),
      field("owner", owner),
    );
  }

  async read() {
    const asked = { first: PAGE, after: this.pager.after, state: this.state || null, owner: this.owner || null };
    const { flows } = await ask(FLOWS, asked, this.signal);
    this.flows = flows.nodes;
    this.pager.show(flows.pageInfo);
    this.draw();
  }

  draw() {
    const shown = this.flows.map((flow) => {
      const row = this.rows.get(flow.key) ?? this.row(flow.key);
      this.update(row, flow);
      return row;
    });
    this.rows = new Map(this.flows.map((flow, at) => [flow.key, shown[at]]));
    for (const key of this.chosen) if (!this.rows.has(key)) this.chosen.delete(key);
    // A row that stays where it is keeps its focus.
    shown.forEach((row, at) => {
      if (this.body.rows[at] !== row) this.body.insertBefore(row, this.body.rows[at] ?? null);
    });
    while (this.body.rows.length > Math.max(shown.length, 0)) this.body.deleteRow(-1);
    if (!shown.length) {
      const filtered = this.state || this.owner;
      const words = filtered ? "No flow is like that." : "There are no flows yet. ";
      const more = filtered ? null : h("a", { href: "#/submit" }, "Submit one.");
      this.body.append(h("tr", null, h("td", { colspan: 7, class: "empty" }, words, more)));
    }
    this.settle();
  }

  /** @param {string} key */
  row(key) {
    const choose = (/** @type {Event} */ event) => {
      if (/** @type {HTMLInputElement} */ (event.target).checked) this.chosen.add(key);
      else this.chosen.delete(key);
      this.settle();
    };
    const box = h("input", { type: "checkbox", onchange: choose });
    const row = h("tr", { "data-key": key }, h("td", { class: "choice" }, box));
    for (let at = 0; at < 6; at += 1) row.append(h("td"));
    return row;
  }

  /** @param {HTMLTableRowElement} row @param {any} flow */
  update(row, flow) {
    const stamp = JSON.stringify(flow);
    const [choice, name, state, owner, progress, submitted, took] = row.cells;
    const box = /** @type {HTMLInputElement} */ (choice.firstChild);
    box.checked = this.chosen.has(flow.key);
    say(submitted, ago(flow.createdAt));
    say(took, tookWords(flow));
    if (row.dataset.stamp === stamp) return;
    row.dataset.stamp = stamp;
    const title = flow.name || `flow ${flow.key.slice(0, 8)}`;
    box.setAttribute("aria-label", `Choose ${title}`);
    if (name.textContent !== title + sizeWords(flow)) {
      put(
        name,
        h("a", { href: `#/flows/${encodeURIComponent(flow.key)}` }, title),
        h("span", { class: "soft" }, sizeWords(flow)),
      );
    }
    put(state, badge(flow.state), flow.reason && h("span", { class: "soft reason", title: flow.reason }, flow.reason));
    say(owner, flow.owner ?? "");
    submitted.title = moment(flow.createdAt);
    put(
      progress,
      stateBar(upper(flow.progress.byState)),
      h("span", { class: "soft" }, percent(flow.progress.fraction)),
    );
  }

  chooseAll() {
    this.chosen = new Set(this.all.checked ? this.flows.map((flow) => flow.key) : []);
    this.draw();
  }

  /** Buttons say how many flows they are about, and can be pressed where that is any. */
  settle() {
    for (const { verb, from, button } of this.steps) {
      const count = this.apt(from).length;
      say(button, `${verb} ${count ? counted(count, "flow") : "chosen"}`);
      button.toggleAttribute("disabled", !count);
    }
    this.all.checked = this.flows.length > 0 && this.flows.every((flow) => this.chosen.has(flow.key));
  }

  /** @param {string[]} states */
  apt(states) {
    return this.flows.filter((flow) => this.chosen.has(flow.key) && states.includes(flow.state));
  }

  /** @param {string} verb @param {{mutation: string, from: string[]}} step */
  async carryOut(verb, { mutation, from }) {
    const flows = this.apt(from);
    const question = `${capital(verb)} ${counted(flows.length, "flow")}?`;
    if (!(await confirmed(question, verb === "cancel" ? "What they completed stays." : ""))) return;
    const text = `mutation ($flow: String!) { ${mutation}(input: {flow: $flow}) { userErrors { message } } }`;
    /** @type {string[]} */
    const refused = [];
    const left = [...flows];
    const work = async () => {
      for (let flow = left.pop(); flow; flow = left.pop()) {
        try {
          const { [mutation]: answer } = await ask(text, { flow: flow.key }, this.signal);
          refused.push(...answer.userErrors.map((/** @type {any} */ error) => error.message));
        } catch (problem) {
          if (!(problem instanceof PoolError)) throw problem;
          refused.push(problem.message);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const done = flows.length - refused.length;
    say(this.note, `${verb === "cancel" ? "Cancelled" : "Retried"} ${counted(done, "flow")}. ${refused.join("; ")}`);
    this.chosen.clear();
    await this.read();
  }
}

/** Counts by state under the states' own names. @param {Record<string, number>} counts */
export function upper(counts) {
  return Object.fromEntries(Object.entries(counts).map(([state, count]) => [state.toUpperCase(), count]));
}

/** @param {number} fraction */
export function percent(fraction) {
  return `${Math.floor(100 * fraction)} %`;
}

/** @param {any} flow */
function sizeWords(flow) {
  return ` ${counted(flow.jobCount, "job")}, ${counted(flow.levelCount, "level")}`;
}

/** @param {any} flow */
function tookWords(flow) {
  const until = flow.finishedAt ? new Date(flow.finishedAt).getTime() : Date.now();
  const passed = span(until - new Date(flow.createdAt).getTime());
  const { etaSeconds } = flow.progress;
  return flow.state === FlowState.RUNNING && etaSeconds ? `${passed}, ${span(etaSeconds * 1000)} left` : passed;
}
