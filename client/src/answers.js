// What an HTTP answer means: the `data` of a GraphQL call, or one of the errors.
//
// A pool answers as GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) has it; a proxy before it may
// answer anything. `comp_pool/answers.py` makes the same of each answer.

import { NotAPool, PoolAway, PoolError, PoolRefused, UNREACHABLE } from "./errors.js";

/** Statuses that say something about the call, whoever answers. */
const REFUSED = new Set([400, 413]);
const LATER = new Set([408, 425, 429]);
const MOST_CHARACTERS = 450;

/**
 * @param {Response} response
 * @param {string} text its body
 * @param {string} url the pool's address, for messages
 * @returns {any} the `data`
 * @throws {PoolAway | PoolRefused}
 */
export function dataOf({ status, ok, headers }, text, url) {
  const retryAfterSeconds = secondsIn(headers);
  if (status >= 500 || LATER.has(status)) {
    throw new PoolAway({ message: `${url} answered ${status}`, code: UNREACHABLE, retryAfterSeconds });
  }
  const answer = parsed(text);
  if (errorsIn(answer).length) return read(answer, url, retryAfterSeconds);
  if (REFUSED.has(status)) {
    throw new PoolRefused({ message: `${url} answered ${status}: ${text.slice(0, MOST_CHARACTERS)}` });
  }
  if (!ok) throw new NotAPool(`no comp-pool answers at ${url}: status ${status}`, retryAfterSeconds);
  return read(answer, url);
}

/**
 * The `data` of a GraphQL answer.
 *
 * @param {any} answer
 * @param {string} url the pool's address, for messages
 * @param {number} [retryAfterSeconds] what the answer's headers say
 * @throws {PoolAway | PoolRefused}
 */
export function read(answer, url, retryAfterSeconds = 0) {
  const [first, ...others] = errorsIn(answer).map(problemOf);
  if (first) {
    const wait = Math.max(retryAfterSeconds, Number(first.retryAfterSeconds) || 0);
    const error = PoolError.of({ ...first, retryAfterSeconds: wait });
    throw error instanceof PoolRefused ? new PoolRefused(first, others) : error;
  }
  if (!isObject(answer?.data)) throw new NotAPool(`no comp-pool answers at ${url}`);
  return answer.data;
}

/**
 * What a mutation of `count` things answers for each: an item of its payload's list, or an error where that has null.
 *
 * @template T
 * @param {{[name: string]: any}} payload
 * @param {string} name the list's
 * @param {number} count
 * @returns {(T | PoolError)[]}
 * @throws {PoolAway | PoolRefused} when the call is refused as a whole, or does not say what became of each
 */
export function oneByOne(payload, name, count) {
  const items = Array.isArray(payload[name]) ? payload[name] : [];
  const errors = payload.userErrors.map(PoolError.of);
  if (errors.length && !items.length) throw errors[0];
  if (items.length !== count || items.filter((item) => item === null).length !== errors.length) {
    throw new NotAPool(`the pool answered ${items.length} ${name} and ${errors.length} errors for ${count}`);
  }
  return items.map((item) => item ?? errors.shift());
}

/** @param {any} value */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} answer @returns {any[]} */
const errorsIn = (answer) => (Array.isArray(answer?.errors) ? answer.errors : []);

/** @param {any} error @returns {import("./errors.js").Problem} */
function problemOf(error) {
  const about = isObject(error?.extensions) ? error.extensions : {};
  return { ...about, message: String(error?.message ?? JSON.stringify(error)) };
}

/** The JSON value of a text; undefined if it is none. @param {string} text */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` (RFC 9110, 10.2.3) in seconds: a number, or a date, which counts from the answer's own. @param {Headers} headers */
function secondsIn(headers) {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value);
  const now = Date.parse(headers.get("date") ?? "") || Date.now();
  return Math.max(0, (Date.parse(value) - now) / 1000) || 0;
}
