/** A dialog that asks for the reason of what is about to be done. */

import { h } from "../shared/dom.js";
import { confirmed, field } from "./parts.js";

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
export async function reasonFor(question, more, { ends = false } = {}) {
  const reason = h("textarea", { required: true, maxlength: 1000, rows: 3 });
  const life = h(
    "select",
    null,
    LIVES.map(([days, words]) => h("option", { value: days, selected: days === "" }, words)),
  );
  const isMeant = await confirmed(question, more, field("reason", reason), ends ? field("it holds", life) : null);
  const expiresAt = life.value ? new Date(Date.now() + Number(life.value) * DAY_MS).toISOString() : null;
  return isMeant ? { reason: reason.value, expiresAt } : null;
}
