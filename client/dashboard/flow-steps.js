/** What its owner may do with a flow: one button a step, shown where the flow's state allows it. */

import { h, say } from "../shared/dom.js";
import { PoolError, ask } from "../shared/graphql.js";
import { FlowState } from "../src/schema.js";
import { capital } from "../shared/words.js";
import { confirmed } from "./parts.js";

/** @type {Record<string, {mutation: string, from: string[]}>} */
const STEPS = {
  pause: { mutation: "pauseFlow", from: [FlowState.RUNNING] },
  resume: { mutation: "resumeFlow", from: [FlowState.PAUSED] },
  retry: { mutation: "retryFlow", from: [FlowState.FAILED, FlowState.CANCELLED] },
  cancel: { mutation: "cancelFlow", from: [FlowState.RUNNING, FlowState.PAUSED] },
};

export class FlowSteps {
  /** @param {string} key @param {AbortSignal} signal @param {() => void} done Called after a step was asked for. */
  constructor(key, signal, done) {
    this.key = key;
    this.signal = signal;
    this.done = done;
    this.note = h("p", { class: "note", role: "status" });
    this.buttons = Object.entries(STEPS).map(([verb, step]) => ({
      ...step,
      button: h(
        "button",
        { type: "button", hidden: true, onclick: () => this.take(verb, step.mutation) },
        capital(verb),
      ),
    }));
    this.element = h(
      "div",
      { class: "actions" },
      this.buttons.map((step) => step.button),
    );
  }

  /** Show those that lead on from a state. @param {string} state */
  offer(state) {
    for (const { from, button } of this.buttons) button.hidden = !from.includes(state);
  }

  /** @param {string} verb @param {string} mutation */
  async take(verb, mutation) {
    if (verb === "cancel" && !(await confirmed("Cancel this flow?", "What it completed stays."))) return;
    const text = `mutation ($flow: String!) { ${mutation}(input: {flow: $flow}) { userErrors { message } } }`;
    try {
      const { [mutation]: answer } = await ask(text, { flow: this.key }, this.signal);
      say(this.note, answer.userErrors.map((/** @type {any} */ error) => error.message).join("; "));
    } catch (problem) {
      if (!(problem instanceof PoolError)) throw problem;
      say(this.note, problem.message);
    }
    this.done();
  }
}
