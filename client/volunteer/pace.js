/**
 * How many tasks a volunteer asks for at once: as many as take about `BATCH_MS`, growing slowly, for others want some too.
 */

import { TASKS_PER_CLAIM } from "../src/schema.js";

const BATCH_MS = 2_000;
const WEIGHT = 0.2;

export class Pace {
  batch = 1;
  #taskMs = 0;

  /** A task took so long. @param {number} ms @param {{workers: number, share: number}} choices */
  learn(ms, { workers, share }) {
    this.#taskMs += (ms - this.#taskMs) * (this.#taskMs ? WEIGHT : 1);
    const ideal = Math.ceil((BATCH_MS * workers * share) / 100 / Math.max(this.#taskMs, 1));
    this.batch = Math.min(2 * this.batch, Math.max(workers, ideal), TASKS_PER_CLAIM);
  }
}
