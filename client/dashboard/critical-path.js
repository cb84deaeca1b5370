/** A flow's critical path: the chain of levels that decides when it ends. */

import { h, put } from "../shared/dom.js";
import { PoolError, ask } from "../shared/graphql.js";
import { ENDED_FLOW_STATES } from "../src/schema.js";
import { counted, span } from "../shared/words.js";
import { REREAD_MS, REREAD_SHARE, pause } from "./live.js";

const PATH = `query ($key: String!) { flow(key: $key) {
  criticalPath { seconds levels { number jobCount progress { fraction } } }
} }`;
const MOST_LEVELS = 12;

export class CriticalPath {
  /** @param {string} key @param {(levels: Set<number>) => void} changed Told the numbers of the levels on it. */
  constructor(key, changed) {
    this.key = key;
    this.changed = changed;
    this.element = h("div", { class: "path" });
  }

  /**
   * Keep it up to date: it changes slowly, and costs more than a delta.
   *
   * @param {() => string | undefined} state The flow's, once it is known.
   * @param {AbortSignal} signal
   */
  async keep(state, signal) {
    while (!signal.aborted) {
      const began = performance.now();
      const before = state();
      try {
        if (before && !ENDED_FLOW_STATES.has(before)) {
          const { flow } = await ask(PATH, { key: this.key }, signal);
          if (!ENDED_FLOW_STATES.has(state() ?? before)) this.draw(flow.criticalPath);
        }
      } catch (problem) {
        if (!(signal.aborted || problem instanceof PoolError)) throw problem;
      }
      await pause(state() ? Math.max(2 * REREAD_MS, REREAD_SHARE * (performance.now() - began)) : 100, signal);
    }
  }

  clear() {
    this.draw({ seconds: null, levels: [] });
  }

  /** @param {{seconds: number | null, levels: any[]}} path */
  draw({ seconds, levels }) {
    this.changed(new Set(levels.map((level) => level.number)));
    if (!levels.length) return put(this.element);
    const shown = levels.slice(0, MOST_LEVELS);
    const lasts = seconds === null ? "" : `, about ${span(1000 * seconds)}`;
    put(
      this.element,
      h(
        "p",
        null,
        h("strong", null, `Critical path${lasts}`),
        h("span", { class: "soft" }, " \u2605 the chain of levels that decides when it ends"),
      ),
      h(
        "ol",
        null,
        shown.map((level) => h("li", null, wordsOf(level))),
        levels.length > shown.length && h("li", null, `and ${counted(levels.length - shown.length, "more level")}`),
      ),
    );
  }
}

/** @param {any} level */
function wordsOf({ number, jobCount, progress }) {
  const name = number ? `Level ${number}` : "Root level";
  return `${name}: ${counted(jobCount, "job")}, ${Math.floor(100 * progress.fraction)} %`;
}
