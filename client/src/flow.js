// One flow of a pool.

import { NotAPool, PoolAway } from "./errors.js";
import { ENDED_FLOW_STATES } from "./schema.js";

const DELTAS = `subscription Watch($id: ID!, $after: String) { flowProgress(id: $id, after: $after) {
  cursor state generation reset
  progress { total fraction throughput etaSeconds byState { waiting queued running completed failed skipped cancelled } }
  changed { id number jobKey state reason }
  flow { reason result }
} }`;
const READ = `query Flow($key: String!) { flow(key: $key) {
  key name owner state reason result createdAt finishedAt
  progress { total fraction throughput etaSeconds }
} }`;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** A tree of jobs that was submitted as one. */
export class Flow {
  #graphql;

  /**
   * @param {import('./graphql.js').GraphQL} graphql
   * @param {string} key
   */
  constructor(graphql, key) {
    this.#graphql = graphql;
    this.key = key;
  }

  /**
   * The flow as it is now.
   *
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<any>}
   * @throws {PoolError}
   */
  async read({ signal } = {}) {
    return (await this.#graphql.execute(READ, { key: this.key }, signal)).flow;
  }

  /**
   * What changes in the flow, until it has ended. A lost connection is made anew and goes on where the last one was.
   *
   * @param {{after?: string, signal?: AbortSignal}} [options] `after`: the `cursor` of the last delta that was seen;
   *   `signal`: ends the watching
   * @returns {AsyncGenerator<any, void>} deltas: `cursor`, `state`, `progress`, `changed` jobs, and the `flow`
   * @throws {PoolError} when the pool refuses: there is no such flow; or there was never a pool at the address
   */
  async *watch({ after, signal } = {}) {
    let cursor = after;
    let pause = FIRST_PAUSE_MS;
    while (!signal?.aborted) {
      try {
        const variables = { id: this.key, after: cursor ?? null };
        for await (const { flowProgress } of this.#graphql.subscribe(DELTAS, variables, signal)) {
          ({ cursor } = flowProgress);
          pause = FIRST_PAUSE_MS;
          yield flowProgress;
          if (ENDED_FLOW_STATES.has(flowProgress.state)) return;
        }
      } catch (problem) {
        if (signal?.aborted) return;
        // A wrong address: nothing was ever heard of a pool there.
        if (problem instanceof NotAPool && cursor === undefined) throw problem;
        if (!(problem instanceof PoolAway)) throw problem;
      }
      await sleep(pause * (0.5 + Math.random()), signal);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }
}

/** Ends early when the signal aborts. @param {number} milliseconds @param {AbortSignal} [signal] */
function sleep(milliseconds, signal) {
  /** @type {Promise<void>} */
  const slept = new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
  return slept;
}
