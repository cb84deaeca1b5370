/** A flow as a whole: its name and state, how far it is, what it waits for, and its result. */

import { h, put, say } from "../shared/dom.js";
import { FlowState } from "../src/schema.js";
import { counted, moment, number, span } from "../shared/words.js";
import { upper } from "./flows.js";
import { json } from "./parts.js";
import { badge, stateBar, stateCounts } from "./states.js";

export class FlowSummary {
  title = h("h1", null, "Flow");
  state = h("span");
  about = h("p", { class: "soft about" });
  bar = h("div", { class: "wide-bar" });
  counts = h("p", { class: "counts" });
  speed = h("p", { class: "soft" });
  waits = h("ul", { class: "waits" });
  result = h("div");

  /** @param {any} delta */
  draw({ flow, progress, state, generation }) {
    this.drawHead(flow, state, generation);
    this.drawProgress(progress, state);
    const reasons = flow.whyWaiting.map((/** @type {any} */ reason) => h("li", null, reason.message));
    put(this.waits, flow.reason ? h("li", { class: "broken" }, flow.reason) : null, reasons);
    if (flow.result !== null && !this.result.hasChildNodes()) {
      put(this.result, h("details", { open: true }, h("summary", null, "Result"), json(flow.result)));
    }
    if (flow.result === null) put(this.result);
  }

  /** @param {any} flow @param {string} state @param {number} generation */
  drawHead(flow, state, generation) {
    const name = flow.name || `Flow ${flow.key.slice(0, 8)}`;
    document.title = `${name} - comp-pool`;
    say(this.title, name);
    if (this.state.textContent !== badge(state).textContent) put(this.state, badge(state));
    const ended = flow.finishedAt ? `, ended ${moment(flow.finishedAt)}` : "";
    const owner = flow.owner ? `of ${flow.owner}, ` : "";
    const retried = generation ? `, retried ${counted(generation, "time")}` : "";
    const size = `${counted(flow.jobCount, "job")} in ${counted(flow.levelCount, "level")}`;
    say(this.about, `${owner}${size}, submitted ${moment(flow.createdAt)}${ended}${retried}`);
  }

  /** @param {any} progress @param {string} state */
  drawProgress(progress, state) {
    const counts = upper(progress.byState);
    put(this.bar, stateBar(counts, "Progress: "));
    put(
      this.counts,
      h("strong", null, `${(100 * progress.fraction).toFixed(progress.fraction < 1 ? 1 : 0)} %`),
      stateCounts(counts),
    );
    const eta =
      progress.etaSeconds && state === FlowState.RUNNING
        ? `; about ${span(1000 * progress.etaSeconds)} left at this rate`
        : "";
    say(this.speed, `${counted(progress.total, "run")}, ${number(progress.throughput)} a second${eta}`);
  }
}
