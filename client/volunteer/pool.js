/**
 * The calls of the pool's API that a volunteer makes.
 *
 * @typedef {{task: string, lease: string}} Held
 * @typedef {{id: string, variable: unknown, context: unknown, lease: string, job: string, name: string, sha256: string,
 *   delayBoundSeconds: number, expectedMilliseconds: number | null}} Task
 * @typedef {{tasks: Task[], host: string, whyNoWork: string, retryAfterSeconds: number}} Claim
 * @typedef {Held & {job: string, host: string, elapsedMilliseconds: number, value?: unknown, context?: unknown,
 *   error?: string}} Report What was computed for a task: `value` and `context`, or `error`.
 * @typedef {{code: string, message: string}} Refusal
 * @typedef {{id: string, verdict: string, reason: string, refusal: null} | {refusal: Refusal}} Receipt
 * @typedef {{key: string, name: string, owner: string, sha256: string, description: string | null,
 *   metadata: any, runMilliseconds: number | null}} JobCard
 */

import { ask, PoolAway, PoolRefused } from "../shared/graphql.js";

const CLAIM = `mutation Claim($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork retryAfterSeconds userErrors { message code }
  tasks { id variable context lease { token } job { key name sha256 runMilliseconds policy { delayBoundSeconds } } }
} }`;
const SUBMIT = `mutation Submit($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { id verdict reason } userErrors { field message code }
} }`;
const EXTEND = `mutation Extend($input: ExtendLeaseInput!) { extendLease(input: $input) {
  leases { deadline } userErrors { field message code }
} }`;
const RELEASE = `mutation Release($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { message code }
} }`;
const SOURCE = "query Source($key: String!) { job(key: $key) { executeFunction } }";
const STANDING = "query Standing($key: String!) { host(key: $key) { valid invalid failed elapsedMilliseconds } }";
const VERDICT = "query Verdict($id: ID!) { node(id: $id) { ... on Result { verdict reason } } }";
const JOBS = `query Jobs($after: String, $locale: String!) { pool { name } jobs(first: 100, after: $after) {
  nodes { key name owner sha256 metadata runMilliseconds description(locale: $locale) } pageInfo { hasNextPage endCursor }
} }`;

const MOST_PAGES = 5;
const TEMPORARY = new Set(["UNAVAILABLE", "INTERNAL", "RATE_LIMITED", "IN_PROGRESS"]);
export const LEASE_LOST = "LEASE_LOST";

/** The pool turned a call down; the same call will be turned down again. */
export class TurnedDown extends Error {
  /** @param {Refusal} refusal */
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/** Whether the same call may work later. @param {Refusal} refusal */
export const isTemporary = ({ code }) => TEMPORARY.has(code);

/** @param {Refusal} refusal */
const problem = (refusal) => (isTemporary(refusal) ? new PoolAway(refusal.message) : new TurnedDown(refusal));

/**
 * @param {string} query
 * @param {Record<string, unknown>} variables
 * @returns {Promise<any>}
 * @throws {PoolAway | TurnedDown}
 */
async function call(query, variables) {
  try {
    return await ask(query, variables, AbortSignal.timeout(60_000));
  } catch (error) {
    if (error instanceof DOMException) throw new PoolAway("the pool did not answer in time");
    if (!(error instanceof PoolRefused)) throw error;
    throw problem({ code: error.errors[0].extensions?.code ?? "BAD_INPUT", message: error.message });
  }
}

/** The payload of a mutation. @param {string} mutation @param {Record<string, unknown>} input */
async function mutate(mutation, input) {
  const [payload] = /** @type {any[]} */ (Object.values(await call(mutation, { input })));
  return payload;
}

/** @param {{userErrors: Refusal[]}} payload */
function check(payload) {
  for (const error of payload.userErrors) throw problem(error);
}

/** @param {Held} held */
const heldOf = ({ task, lease }) => ({ task, lease });

/** The languages that the reader wants, the best one first. */
const languages = () => (navigator.languages.length ? navigator.languages : ["en"]);

/**
 * Up to `first` tasks, for the host with this token; empty: a new host.
 *
 * @param {string} host
 * @param {number} first
 * @param {{jobs?: string[], owners?: string[], idempotencyKey?: string}} wanted
 * @returns {Promise<Claim>}
 */
export async function claim(host, first, wanted) {
  const payload = await mutate(CLAIM, { host: host || null, hostName: "browser", first, ...wanted });
  check(payload);
  return {
    host: payload.host,
    whyNoWork: payload.whyNoWork ?? "",
    retryAfterSeconds: payload.retryAfterSeconds ?? 0,
    tasks: payload.tasks.map((/** @type {any} */ { id, variable, context, lease, job }) => ({
      id,
      variable,
      context,
      lease: lease.token,
      job: job.key,
      name: job.name,
      sha256: job.sha256,
      delayBoundSeconds: job.policy.delayBoundSeconds,
      expectedMilliseconds: job.runMilliseconds,
    })),
  };
}

/**
 * One receipt for each report, in order.
 *
 * @param {string} host
 * @param {Report[]} reports
 * @returns {Promise<Receipt[]>}
 */
export async function submit(host, reports) {
  const results = reports.map(({ value, context, error, elapsedMilliseconds, ...held }) => ({
    ...heldOf(held),
    elapsedMilliseconds,
    ...(error === undefined ? { value, context } : { error }),
  }));
  const payload = await mutate(SUBMIT, { host, results });
  const refusals = [...payload.userErrors];
  if (payload.results.length !== reports.length) throw problem(refusals[0]);
  return payload.results.map((/** @type {any} */ result) =>
    result ? { ...result, reason: result.reason ?? "", refusal: null } : { refusal: refusals.shift() },
  );
}

/** Have leases run on; those that are held no longer. @param {Held[]} held @returns {Promise<Held[]>} */
export async function extend(held) {
  const payload = await mutate(EXTEND, { tasks: held.map(heldOf) });
  if (payload.leases.length !== held.length) check(payload);
  return held.filter((_, at) => payload.leases[at] === null);
}

/** Give tasks back. @param {Held[]} held */
export async function release(held) {
  check(await mutate(RELEASE, { tasks: held.map(heldOf) }));
}

/** Give tasks back while the page goes away: the browser sends it, nobody hears the answer. @param {Held[]} held */
export function releaseAtOnce(held) {
  const body = JSON.stringify({ query: RELEASE, variables: { input: { tasks: held.map(heldOf) } } });
  const headers = { "content-type": "application/json" };
  fetch("/graphql", { method: "POST", headers, body, keepalive: true }).catch(() => {});
}

/** What a job's owner wrote. @param {string} job @returns {Promise<string>} */
export async function source(job) {
  return (await call(SOURCE, { key: job })).job.executeFunction;
}

/** What the pool thinks of a host's results. @param {string} key */
export async function standing(key) {
  /** @type {{valid: number, invalid: number, failed: number, elapsedMilliseconds: number}} */
  const host = (await call(STANDING, { key })).host;
  return host;
}

/** What the pool thinks of one result by now. @param {string} id */
export async function verdict(id) {
  /** @type {{verdict: string, reason: string | null} | null} */
  const result = (await call(VERDICT, { id })).node;
  return result;
}

/**
 * The pool's name, and the jobs whose work it hands out, as their owners describe them in the reader's language.
 *
 * @returns {Promise<{name: string, jobs: JobCard[], more: boolean}>}
 */
export async function offers() {
  /** @type {JobCard[]} */
  const jobs = [];
  let after = null;
  for (let page = 1; ; page++) {
    const answer = await call(JOBS, { after, locale: languages()[0] });
    jobs.push(...answer.jobs.nodes);
    const { hasNextPage, endCursor } = answer.jobs.pageInfo;
    if (!hasNextPage || page === MOST_PAGES) return { name: answer.pool.name, jobs, more: hasNextPage };
    after = endCursor;
  }
}

/**
 * What a job is for, in the first of the reader's languages that its owner writes.
 *
 * @param {JobCard} job
 */
export function purpose(job) {
  const told = job.metadata?.description;
  if (told && typeof told === "object") {
    const written = new Map(Object.entries(told).map(([locale, text]) => [locale.toLowerCase(), text]));
    for (const language of languages()) {
      const exact = language.toLowerCase();
      const found = written.get(exact) ?? written.get(exact.split("-")[0]);
      if (typeof found === "string") return { text: found, language };
    }
  }
  return { text: job.description ?? "", language: "" };
}
