/**
 * How states look: each one has a colour and a shape of its own, the same in tables, bars and pictures.
 *
 * @typedef {{colour: string, path: string, solid: boolean}} Look
 */

import { h, s } from "../shared/dom.js";
import { number } from "../shared/words.js";
import { FlowNodeState, FlowState } from "../src/schema.js";

const RING = "M8 2.5a5.5 5.5 0 1 1-.01 0z";
const DIAMOND = "M8 2l6 6-6 6-6-6z";

const { COMPLETED, SKIPPED, RUNNING, QUEUED, WAITING, CANCELLED, FAILED } = FlowNodeState;

/** The states of levels and jobs of a flow, in the order in which bars show them. */
export const NODE_STATES = [COMPLETED, SKIPPED, RUNNING, QUEUED, WAITING, CANCELLED, FAILED];
export const FLOW_STATES = Object.values(FlowState);

const DONE = {
  colour: "--completed",
  path: "M8 1.5a6.5 6.5 0 1 1-.01 0zM4.6 8.2l2.4 2.4 4.4-5-1.2-1-3.3 3.8-1.3-1.3z",
  solid: true,
};
const BROKEN = {
  colour: "--failed",
  path: "M3.6 1.8 8 6.2l4.4-4.4 1.8 1.8L9.8 8l4.4 4.4-1.8 1.8L8 9.8l-4.4 4.4-1.8-1.8L6.2 8 1.8 3.6z",
  solid: true,
};
const AT_WORK = { colour: "--running", path: "M3.5 2 14 8 3.5 14z", solid: true };
const IN_LINE = { colour: "--queued", path: DIAMOND, solid: false };
const NOT_YET = { colour: "--waiting", path: RING, solid: false };
const HALTED = { colour: "--cancelled", path: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z", solid: true };
const STOPPED = { colour: "--cancelled", path: `${RING}M4.2 11.8l7.6-7.6`, solid: false };

/**
 * @typedef {typeof import("../src/schema.js")} Schema
 * @typedef {keyof Schema["FlowNodeState"] | keyof Schema["FlowState"] | keyof Schema["FlowRunState"] | keyof Schema["JobState"] |
 *   keyof Schema["TaskState"] | keyof Schema["VariableState"] | keyof Schema["Verdict"]} State
 * @type {Record<State, Look>}
 */
const LOOKS = {
  COMPLETED: DONE,
  DONE,
  VALID: DONE,
  CANONICAL: { ...DONE, path: "M8 1l2.1 4.6 5 .5-3.7 3.4 1 5L8 12l-4.4 2.5 1-5L.9 6.1l5-.5z" },
  REPORTED: DONE,
  FAILED: BROKEN,
  INVALID: BROKEN,
  RUNNING: AT_WORK,
  ACTIVE: AT_WORK,
  LEASED: AT_WORK,
  REPORTING: AT_WORK,
  QUEUED: IN_LINE,
  READY: IN_LINE,
  OPEN: IN_LINE,
  INCONCLUSIVE: { ...IN_LINE, colour: "--cancelled" },
  WAITING: NOT_YET,
  PENDING: NOT_YET,
  NEW: NOT_YET,
  SKIPPED: { colour: "--skipped", path: "M2 6.5h12v3H2z", solid: true },
  PAUSED: HALTED,
  HELD: HALTED,
  ARCHIVED: { colour: "--skipped", path: "M2 3h12v10H2zM5 7h6", solid: false },
  CANCELLED: STOPPED,
  CANCELLING: STOPPED,
  EXPIRED: STOPPED,
  EXPIRING: STOPPED,
  TOO_LATE: STOPPED,
};

/** @param {string} state @returns {Look} */
export function look(state) {
  return LOOKS[/** @type {State} */ (state)] ?? NOT_YET;
}

/** A state in words. @param {string} state */
export function named(state) {
  return state.toLowerCase().replaceAll("_", " ");
}

/** The shape of a state as an image. @param {string} state */
export function shape(state) {
  const { path, solid } = look(state);
  const drawn = solid ? { class: "solid", "fill-rule": "evenodd" } : { class: "outline" };
  return s(
    "svg",
    { class: `shape is-${state}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("path", { d: path, ...drawn }),
  );
}

/** A state's shape and name. @param {string} state */
export function badge(state) {
  return h("span", { class: `badge is-${state}` }, shape(state), named(state));
}

/**
 * Counts by state as one bar, with the words for it.
 *
 * @param {Record<string, number>} counts By state; states without any may be left out.
 * @param {string} [label]
 */
export function stateBar(counts, label = "") {
  const there = Object.keys(counts).filter((state) => counts[state] > 0);
  const total = there.reduce((sum, state) => sum + counts[state], 0);
  const words = there.map((state) => `${number(counts[state])} ${named(state)}`).join(", ") || "nothing";
  let x = 0;
  const parts = there.map((state) => {
    const width = (100 * counts[state]) / total;
    x += width;
    return s("rect", { class: `is-${state}`, x: x - width, width, y: 0, height: 8 });
  });
  return s(
    "svg",
    { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": `${label}${words}` },
    s("title", null, words),
    s("rect", { class: "ground", width: 100, height: 8 }),
    parts,
  );
}

/** Counts by state, each with its shape. @param {Record<string, number>} counts */
export function stateCounts(counts) {
  return Object.keys(counts)
    .filter((state) => counts[state] > 0)
    .map((state) =>
      h("span", { class: `count is-${state}` }, shape(state), `${number(counts[state])} ${named(state)}`),
    );
}
