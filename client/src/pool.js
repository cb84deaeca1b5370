// The client for people who start today. For those of the original's client there is legacy.cjs.

import { compute } from './computing.js';
import { Flow } from './flow.js';
import { GraphQL, PoolError } from './graphql.js';

export { PoolError };

/**
 * A task to compute: `variable` and `context` are the arguments of its job's function.
 *
 * @typedef {object} Task
 * @property {string} id
 * @property {any} variable
 * @property {object} context
 * @property {{token: string, deadline: string}} lease
 * @property {{key: string, name: string, executeFunction: string, executeBody: string, sha256: string,
 *   policy: {delayBoundSeconds: number}}} job
 */

/**
 * What was computed for a task: the `result` of the returned context and the rest of that, or what went wrong.
 *
 * @typedef {object} Outcome
 * @property {Task} task
 * @property {any} [value]
 * @property {object} [context]
 * @property {string} [error]
 * @property {number} elapsedMilliseconds
 */

const CLAIM = `mutation Claim($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork retryAfterSeconds userErrors { field message code }
  tasks {
    id variable context lease { token deadline }
    job { key name executeFunction executeBody sha256 policy { delayBoundSeconds } }
  }
} }`;
const SUBMIT = `mutation Submit($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict reason value } userErrors { field message code }
} }`;
const SUBMIT_FLOW = `mutation SubmitFlow($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { key } userErrors { field message code }
} }`;

/** A comp-pool, as a volunteer, an owner of work or a dashboard sees it. */
export class Pool {
  /**
   * @param {string} url the pool's root, such as `http://127.0.0.1:7070`
   * @param {{host?: string, fetch?: typeof fetch}} [options] `host`: the token by which the pool knows this volunteer
   *   from an earlier time; `fetch`: instead of the platform's
   */
  constructor(url, { host, fetch = globalThis.fetch } = {}) {
    this.url = String(url).replace(/\/+$/, '');
    /** The volunteer's own secret, to be kept: undefined until the first claim. */
    this.host = host;
    this.graphql = new GraphQL(`${this.url}/graphql`, fetch);
  }

  /**
   * Leases tasks to compute.
   *
   * @param {{first?: number, scheduler?: string, jobs?: string[], owners?: string[], idempotencyKey?: string,
   *   signal?: AbortSignal}} [wanted] `first`: how many at most, 1 to 100; `idempotencyKey`: repeated with the same one,
   *   since its answer was lost, a claim answers the same tasks
   * @returns {Promise<{tasks: Task[], whyNoWork: ?string, retryAfterSeconds: ?number}>} no tasks: why, and when to ask
   *   again
   * @throws {PoolError}
   */
  async claim({ signal, ...wanted } = {}) {
    const input = { first: 1, ...wanted, ...(this.host && { host: this.host }) };
    const { host, userErrors, ...claim } = await this.#mutate(CLAIM, 'claimTasks', input, signal);
    throwFirst(userErrors);
    this.host = host;
    return claim;
  }

  /**
   * Runs a task's function where it can reach nothing and can be stopped.
   *
   * @param {Task} task
   * @param {{timeoutMilliseconds?: number, signal?: AbortSignal}} [limits] by default it may take as long as its lease
   * @returns {Promise<Outcome>}
   */
  compute(task, limits) {
    return compute(task, limits);
  }

  /**
   * Reports what was computed. A repeated report changes nothing.
   *
   * @param {Outcome | Outcome[]} outcomes
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<{results: Array<?{verdict: string, reason: ?string, value: any}>,
   *   userErrors: Array<{field: ?string, message: string, code: string}>}>} the results in the order given, null where
   *   `userErrors` says why
   * @throws {PoolError}
   */
  submit(outcomes, { signal } = {}) {
    const results = [outcomes].flat().map(({ task, value, context, error, elapsedMilliseconds }) => ({
      task: task.id,
      lease: task.lease.token,
      elapsedMilliseconds,
      ...(error === undefined ? { value, context } : { error }),
    }));
    return this.#mutate(SUBMIT, 'submitResults', { host: this.host, results }, signal);
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
    const { flow, userErrors } = await this.#mutate(SUBMIT_FLOW, 'submitFlow', input, signal);
    throwFirst(userErrors);
    return this.flow(flow.key);
  }

  async #mutate(mutation, name, input, signal) {
    return (await this.graphql.execute(mutation, { input }, signal))[name];
  }
}

function throwFirst([error]) {
  if (error) throw new PoolError(error.message, error.code, error.field ?? '');
}
