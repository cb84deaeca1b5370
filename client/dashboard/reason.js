/** A dialog that asks for the reason of what is about to be done. */

import { h } from "../shared/dom.js";
import { field } from "./parts.js";

const DAY_MS = 86_400_000;
const LIVES = /** @type {const} */ ([
  ["1", "a day"],
  ["7", "a week"],
  ["30", "30 days"],
  ["", "for ever"],
]);

/**
 * @param {string} question
 * @param {string} more What it means.
 * @param {{ends?: boolean}} [options] `ends`: it may end by itself.
 * @returns {Promise<{reason: string, expiresAt: string | null} | null>} null: it is not to be done
 */
export function reasonFor(question, more, { ends = false } = {}) {
  const reason = h("textarea", { required: true, maxlength: 1000, rows: 3 });
  const life = h(
    "select",
    null,
    LIVES.map(([days, words]) => h("option", { value: days, selected: days === "" }, words)),
  );
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-label": question },
      h(
        "form",
        { method: "dialog" },
        h("p", null, h("strong", null, question)),
        h("p", null, more),
        field("reason", reason),
        ends ? field("it holds", life) : null,
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
      const expiresAt = life.value ? new Date(Date.now() + Number(life.value) * DAY_MS).toISOString() : null;
      resolve(dialog.returnValue === "yes" ? { reason: reason.value, expiresAt } : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
