/**
 * What was done in this visit.
 *
 * @typedef {{task: string, job: string, verdict: string, why: string, elapsedMilliseconds: number, result: string}} Entry
 *   `result`: the global id under which its verdict can be asked for again; empty while it has none.
 */

import { Verdict } from "../src/schema.js";

const MOST_ENTRIES = 8;
const MOST_NOTES = 4;
/** @type {ReadonlySet<string>} */
const UNDECIDED = new Set([Verdict.PENDING, Verdict.INCONCLUSIVE]);
const RATE_MS = 60_000;

export class Record {
  computed = 0;
  givenMs = 0;
  /** The latest ones, the newest first. @type {Entry[]} */
  entries = [];
  /** @type {string[]} */
  notes = [];
  /** @type {number[]} */
  #moments = [];
  #began = Date.now();

  /** @param {import("./pool.js").Task} task @param {number} elapsedMilliseconds @param {string} [error] */
  add(task, elapsedMilliseconds, error) {
    this.computed++;
    this.givenMs += elapsedMilliseconds;
    this.#moments.push(Date.now());
    const entry = {
      task: task.id,
      job: task.name,
      verdict: "ON_ITS_WAY",
      why: error ?? "",
      elapsedMilliseconds,
      result: "",
    };
    this.entries = [entry, ...this.entries].slice(0, MOST_ENTRIES);
  }

  /** What became of a report. @param {string} task @param {import("./pool.js").Receipt} receipt */
  settle(task, receipt) {
    const entry = this.entries.find((each) => each.task === task);
    if (!entry) return;
    if (receipt.refusal) Object.assign(entry, { verdict: "LOST", why: receipt.refusal.message });
    else Object.assign(entry, { verdict: receipt.verdict, why: receipt.reason || entry.why, result: receipt.id });
  }

  /** Those whose verdict may still change. */
  undecided() {
    return this.entries.filter(({ verdict, result }) => result && UNDECIDED.has(verdict));
  }

  /** @param {string} text */
  note(text) {
    this.notes = [text, ...this.notes.filter((each) => each !== text)].slice(0, MOST_NOTES);
  }

  /** Tasks a minute over the last one, or since the start where that is less. */
  get ratePerMinute() {
    const now = Date.now();
    this.#moments = this.#moments.filter((moment) => now - moment < RATE_MS);
    const spanMs = Math.min(RATE_MS, Math.max(1_000, now - this.#began));
    return (this.#moments.length * 60_000) / spanMs;
  }

  /** The volunteer begins now: the rate counts from here. */
  begin() {
    this.#began = Date.now();
    this.#moments = [];
  }
}
