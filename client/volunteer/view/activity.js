/** What the volunteer's computer does and did. */

import { h, put, say } from "../../shared/dom.js";
import { number, span } from "../../shared/words.js";
import { part } from "./elements.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../pool.js").Task} Task
 */

/** @type {Record<keyof typeof import("../../src/schema.js").Verdict | "ON_ITS_WAY" | "LOST", [string, string]>} */
const VERDICTS = {
  ON_ITS_WAY: ["on its way", "waiting"],
  PENDING: ["waits for votes", "queued"],
  VALID: ["accepted", "completed"],
  CANONICAL: ["accepted as the result", "completed"],
  INVALID: ["turned down", "failed"],
  INCONCLUSIVE: ["undecided", "cancelled"],
  TOO_LATE: ["too late, decided before", "skipped"],
  LOST: ["not wanted any more", "skipped"],
};
/** @type {Record<keyof typeof import("../../src/schema.js").WhyNoWork | "NOTHING_CHOSEN", string>} */
const WAITS = {
  DRAINING: "This server is stopping; another one answers soon.",
  NO_OPEN_WORK: "Everything is computed or being computed.",
  NO_SUPPORTED_WORK: "There is work, but none of what you chose.",
  WAITING_FOR_OTHER_HOSTS: "What is left needs the votes of other volunteers: yours are in.",
  BLOCKED: "The pool's operator has blocked this computer, or its network: it gets no work.",
  NOTHING_CHOSEN: "Of all there is, nothing is left that you support.",
};

/** Why there is no work, in words. @param {string} why */
export const waitWords = (why) => WAITS[/** @type {keyof typeof WAITS} */ (why)] ?? `The pool is away (${why}).`;

/**
 * @param {"idle" | "working" | "waiting" | "paused"} state
 * @param {string} text
 */
export function showStatus(state, text) {
  part("status").dataset.state = state;
  say(part("status-text"), text);
}

/**
 * @param {{computed: number, ratePerMinute: number, givenMs: number, waiting: number}} here
 * @param {{valid: number, invalid: number, failed: number, elapsedMilliseconds: number} | null} standing
 */
export function showFigures(here, standing) {
  /** @type {[string, string, string][]} */
  const figures = [
    ["Computed", number(here.computed), "tasks in this visit"],
    ["Validated", standing ? number(standing.valid) : "–", standing ? blame(standing) : "results the pool took"],
    ["Rate", number(here.ratePerMinute), "tasks a minute"],
    [
      "Time given",
      span(here.givenMs),
      standing ? `${span(standing.elapsedMilliseconds)} validated in all` : "of computing",
    ],
  ];
  if (here.waiting) figures.push(["Waiting", number(here.waiting), "results, kept until the pool takes them"]);
  put(
    part("figures"),
    figures.map(([name, value, unit]) =>
      h("div", null, h("dt", null, name), h("dd", null, h("b", null, value), " ", h("span", { class: "soft" }, unit))),
    ),
  );
}

/** @param {{invalid: number, failed: number}} standing */
function blame({ invalid, failed }) {
  if (!invalid && !failed) return "results in all, none turned down";
  return `results in all, ${number(invalid + failed)} not taken`;
}

/** @param {Iterable<{task: Task, at: number}>} running */
export function showTasks(running) {
  const rows = [...running].map(({ task, at }) => {
    const passed = Date.now() - at;
    const expected = task.expectedMilliseconds;
    const known = expected !== null && passed < expected;
    const measured = known ? { max: expected, value: passed } : {};
    const bar = h("progress", { "aria-label": `Progress of ${task.name}`, ...measured });
    const left = known ? `${span(passed)} of about ${span(expected)}` : span(passed);
    return h("li", null, h("span", { class: "name" }, task.name), h("span", { class: "soft" }, left), bar);
  });
  put(part("tasks"), rows);
  part("no-tasks").hidden = rows.length > 0;
}

/** @param {Entry[]} entries */
export function showVerdicts(entries) {
  put(
    part("verdicts"),
    entries.map(({ job, verdict, why, elapsedMilliseconds }) => {
      const [words, colour] = VERDICTS[/** @type {keyof typeof VERDICTS} */ (verdict)] ?? [verdict, "waiting"];
      return h(
        "li",
        null,
        h("span", { class: `mark ${colour}`, "aria-hidden": "true" }),
        h("span", { class: "name" }, job),
        h("span", { class: `verdict ${colour}` }, words),
        h("span", { class: "soft took" }, span(elapsedMilliseconds)),
        why ? h("span", { class: "why soft" }, why) : null,
      );
    }),
  );
  part("no-verdicts").hidden = entries.length > 0;
}

/** @param {string[]} notes */
export function showNotes(notes) {
  put(
    part("notes"),
    notes.map((note) => h("li", null, note)),
  );
}
