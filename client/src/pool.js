// The client for people who start today. For those of the original's client there is legacy.cjs.

import { compute } from "./computing.js";
import { Flow } from "./flow.js";
import { isObject, oneByOne } from "./answers.js";
import { NotAPool, PoolAway, PoolError, PoolRefused } from "./errors.js";
import { GraphQL } from "./graphql.js";
import { Sources } from "./sources.js";

export { NotAPool, PoolAway, PoolError, PoolRefused };

/**
 * A task to compute: `variable` and `context` are the arguments of its job's function.
 *
 * @typedef {object} Task
 * @property {string} id
 * @property {any} variable
 * @property {any} context
 * @property {{token: string, deadline: string}} lease
 * @property {{key: string, name: string, sha256: string, runMilliseconds: number | null,
 *   policy: {delayBoundSeconds: number}}} job `runMilliseconds`: how long its tasks took so far, on average
 *
 * A task that is held, as far as the pool needs to know it.
 *
 * @typedef {{id: string, lease: {token: string}}} Held
 */

/**
 * A result that was stored, and what the pool thinks of it so far.
 *
 * @typedef {{id: string, verdict: string, reason: string | null, value: any}} Result
 */

/**
 * What was computed for a task: the `result` of the returned context and the rest of that, or what went wrong.
 *
 * @typedef {object} Outcome
 * @property {Held} task
 * @property {any} [value]
 * @property {object} [context]
 * @property {string} [error]
 * @property {number} elapsedMilliseconds
 */

const CLAIM = `mutation Claim($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork retryAfterSeconds userErrors { field message code retryAfterSeconds }
  tasks {
    id variable context lease { token deadline }
    job { key name sha256 runMilliseconds policy { delayBoundSeconds } }
  }
} }`;
const EXTEND = `mutation Extend($input: ExtendLeaseInput!) { extendLease(input: $input) {
  leases { deadline } userErrors { field message code retryAfterSeconds }
} }`;
const RELEASE = `mutation Release($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { field message code retryAfterSeconds }
} }`;
const SUBMIT = `mutation Submit($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { id verdict reason value } userErrors { field message code retryAfterSeconds }
} }`;
const SUBMIT_FLOW = `mutation SubmitFlow($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { key } userErrors { field message code retryAfterSeconds }
} }`;

/** A comp-pool, as a volunteer, an owner of work or a dashboard sees it. */
export class Pool {
  /**
   * @param {string} url the pool's root, such as `http://127.0.0.1:7070`; empty: what served the page
   * @param {{host?: string, token?: string, fetch?: typeof fetch}} [options] `host`: the token by which the pool knows
   *   this volunteer from an earlier time; `token`: an account's, for what a pool that wants tokens takes one for;
   *   `fetch`: instead of the platform's
   */
  constructor(url, { host, token, fetch = globalThis.fetch } = {}) {
    this.url = String(url).replace(/\/+$/, "");
    /** The volunteer's own secret, to be kept: undefined until the first claim. */
    this.host = host;
    this.graphql = new GraphQL(`${this.url}/graphql`, fetch, token);
    this.sources = new Sources(this.graphql);
  }

  /**
   * Leases tasks to compute.
   *
   * @param {{first?: number, scheduler?: string, jobs?: string[], owners?: string[], hostName?: string,
   *   idempotencyKey?: string, repeated?: boolean, signal?: AbortSignal}} [wanted] `first`: how many at most, 1 to 100;
   *   `hostName`: what a new volunteer calls itself; `repeated`: this very claim was made before, with the same
   *   `idempotencyKey`, and its answer lost: it answers the same tasks
   * @returns {Promise<{tasks: Task[], whyNoWork: ?string, retryAfterSeconds: ?number}>} no tasks: why, and when to ask
   *   again
   * @throws {PoolError}
   */
  async claim({ signal, ...wanted } = {}) {
    const input = { first: 1, ...wanted, ...(this.host && { host: this.host }) };
    const { host, userErrors, ...claim } = await this.#mutate(CLAIM, "claimTasks", input, signal);
    throwFirst(userErrors);
    this.host = host;
    return claim;
  }

  /**
   * Heartbeat: has leases run for their job's `delayBoundSeconds` from now on.
   *
   * @template {Held} H
   * @param {H[]} tasks
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<H[]>} those whose lease was lost: others may be computing them by now
   * @throws {PoolError}
   */
  async extend(tasks, { signal } = {}) {
    const payload = await this.#mutate(EXTEND, "extendLease", { tasks: tasks.map(heldOf) }, signal);
    const answers = oneByOne(payload, "leases", tasks.length);
    return tasks.filter((_, at) => answers[at] instanceof PoolError);
  }

  /**
   * Gives tasks back, so that others may compute them. That costs no credit.
   *
   * @param {Held[]} tasks
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<number>} how many of them were still held
   * @throws {PoolError}
   */
  async release(tasks, { signal } = {}) {
    const { released, userErrors } = await this.#mutate(RELEASE, "releaseTasks", { tasks: tasks.map(heldOf) }, signal);
    throwFirst(userErrors);
    return released;
  }

  /**
   * Runs a task's function where it can reach nothing and can be stopped.
   *
   * @param {Task} task
   * @param {{timeoutMilliseconds?: number, signal?: AbortSignal}} [limits] by default it may take as long as its lease
   * @returns {Promise<Outcome>}
   * @throws {PoolError} when the pool does not say what the function is, or its SHA-256 is another
   */
  async compute(task, limits) {
    // Asked for once for all who compute it: one that is stopped must not stop the others.
    const source = await this.sources.of(task.job);
    limits?.signal?.throwIfAborted();
    return compute(task, source, limits);
  }

  /**
   * Reports what was computed. A repeated report changes nothing.
   *
   * @param {Outcome | Outcome[]} outcomes
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<{results: (Result | null)[], userErrors: import('./errors.js').Problem[]}>} the results in the
   *   order given, null where `userErrors` says why
   * @throws {PoolError}
   */
  submit(outcomes, { signal } = {}) {
    const results = [outcomes].flat().map(({ task, value, context, error, elapsedMilliseconds }) => ({
      ...heldOf(task),
      elapsedMilliseconds,
      ...(error === undefined ? { value, context } : { error }),
    }));
    return this.#mutate(SUBMIT, "submitResults", { host: this.host, results }, signal);
  }

  /**
   * A flow of this pool.
   *
   * @param {string} key
   * @returns {Flow}
   */
  flow(key) {
    return new Flow(this.graphql, key);
  }

  /**
   * Submits a flow.
   *
   * @param {object} input as `SubmitFlowInput` of the pool's schema has it
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Flow>}
   * @throws {PoolError}
   */
  async submitFlow(input, { signal } = {}) {
    const { flow, userErrors } = await this.#mutate(SUBMIT_FLOW, "submitFlow", input, signal);
    throwFirst(userErrors);
    return this.flow(flow.key);
  }

  /**
   * @param {string} mutation
   * @param {string} name
   * @param {object} input
   * @param {AbortSignal} [signal]
   */
  async #mutate(mutation, name, input, signal) {
    const payload = (await this.graphql.execute(mutation, { input }, signal))[name];
    if (isObject(payload) && Array.isArray(payload.userErrors) && payload.userErrors.every(isObject)) return payload;
    throw new NotAPool(`no comp-pool answers at ${this.url}: its answer is no payload of ${name}`);
  }
}

/** @param {Held} task */
const heldOf = ({ id, lease }) => ({ task: id, lease: lease.token });

/** @param {import('./errors.js').Problem[]} userErrors */
function throwFirst([problem]) {
  if (problem) throw PoolError.of(problem);
}
