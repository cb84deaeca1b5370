/**
 * The calls of the pool's API that a volunteer makes.
 *
 * @typedef {{task: string, lease: string}} Held
 * @typedef {{id: string, variable: unknown, context: unknown, lease: string, job: string, name: string, sha256: string,
 *   delayBoundSeconds: number, expectedMilliseconds: number | null}} Task
 * @typedef {{tasks: Task[], whyNoWork: string, retryAfterSeconds: number}} Claim
 * @typedef {Held & {job: string, host: string, elapsedMilliseconds: number, value?: unknown, context?: object,
 *   error?: string}} Report What was computed for a task: `value` and `context`, or `error`.
 * @typedef {{id: string, verdict: string, reason: string, refusal: null} | {refusal: PoolError}} Receipt
 * @typedef {{key: string, name: string, owner: string, sha256: string, description: string | null,
 *   metadata: any, runMilliseconds: number | null}} JobCard
 */

import { oneByOne } from "../src/answers.js";
import { Pool, PoolError } from "../src/pool.js";
import { NODES_PER_PAGE, Review } from "../src/schema.js";
import { identity } from "./identity.js";

const STANDING = "query Standing($key: String!) { host(key: $key) { valid invalid failed elapsedMilliseconds } }";
const VERDICT = "query Verdict($id: ID!) { node(id: $id) { ... on Result { verdict reason } } }";
const JOBS = `query Jobs($after: String, $locale: String!) { pool { name } jobs(first: ${NODES_PER_PAGE}, after: $after) {
  nodes { key name owner review sha256 metadata runMilliseconds description(locale: $locale) } pageInfo { hasNextPage endCursor }
} }`;

const MOST_PAGES = 5;
const PATIENCE_MS = 60_000;

const ROOT = new URL("../..", import.meta.url).href;

const pool = new Pool(ROOT);
/** What it is asked for is sent although the page goes away. */
const leaving = new Pool(ROOT, { fetch: (url, init) => fetch(url, { ...init, keepalive: true }) });

/** @param {AbortSignal[]} others What ends a call besides. */
const patiently = (...others) => ({ signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...others]) });

/** @param {string} query @param {Record<string, unknown>} variables */
const ask = (query, variables) => pool.graphql.execute(query, variables, patiently().signal);

/** @param {Held} held */
const heldOf = ({ task, lease }) => ({ id: task, lease: { token: lease } });

/** The languages that the reader wants, the best one first. */
const languages = () => (navigator.languages.length ? navigator.languages : ["en"]);

/**
 * Tasks for this browser's host; where it is none yet, it is one from then on.
 *
 * @param {{first: number, jobs?: string[], idempotencyKey: string, repeated: boolean}} wanted
 * @param {AbortSignal} signal
 * @returns {Promise<Claim>}
 * @throws {PoolError}
 */
export async function claim(wanted, signal) {
  pool.host = identity.token;
  const { tasks, whyNoWork, retryAfterSeconds } = await pool.claim({
    hostName: "browser",
    ...wanted,
    ...patiently(signal),
  });
  identity.token = pool.host;
  return {
    whyNoWork: whyNoWork ?? "",
    retryAfterSeconds: retryAfterSeconds ?? 0,
    tasks: tasks.map(({ id, variable, context, lease, job }) => ({
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
 * @param {string} host The token of the host that computed them.
 * @param {Report[]} reports
 * @returns {Promise<Receipt[]>}
 * @throws {PoolError}
 */
export async function submit(host, reports) {
  const outcomes = reports.map((report) => ({ ...report, task: heldOf(report) }));
  const payload = await new Pool(ROOT, { host }).submit(outcomes, patiently());
  return oneByOne(payload, "results", reports.length).map((answer) =>
    answer instanceof PoolError ? { refusal: answer } : { ...answer, reason: answer.reason ?? "", refusal: null },
  );
}

/** Have leases run on; the tasks that are held no longer. @param {Held[]} held @throws {PoolError} */
export async function extend(held) {
  return (await pool.extend(held.map(heldOf), patiently())).map(({ id }) => id);
}

/** Give tasks back. @param {Held[]} held @throws {PoolError} */
export async function release(held) {
  await pool.release(held.map(heldOf), patiently());
}

/** Give tasks back while the page goes away: the browser sends it, nobody hears the answer. @param {Held[]} held */
export function releaseAtOnce(held) {
  leaving.release(held.map(heldOf)).catch(() => {});
}

/**
 * What a job's owner wrote, once its SHA-256 was found to be the right one.
 *
 * @param {string} key
 * @param {string} sha256
 * @throws {PoolError}
 */
export async function source(key, sha256) {
  return (await pool.sources.of({ key, sha256 }, patiently().signal)).executeFunction;
}

/** What the pool thinks of a host's results. @param {string} key */
export async function standing(key) {
  /** @type {{valid: number, invalid: number, failed: number, elapsedMilliseconds: number}} */
  const host = (await ask(STANDING, { key })).host;
  return host;
}

/** What the pool thinks of one result by now. @param {string} id */
export async function verdict(id) {
  /** @type {{verdict: string, reason: string | null} | null} */
  const result = (await ask(VERDICT, { id })).node;
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
    const answer = await ask(JOBS, { after, locale: languages()[0] });
    /** @type {(JobCard & {review: string})[]} */
    const found = answer.jobs.nodes;
    jobs.push(...found.filter(({ review }) => review === Review.APPROVED));
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
