// The code of jobs, none of which is handed out before its SHA-256 was found to be the one that the pool names.

import { NotAPool, PoolRefused } from "./errors.js";

const SOURCE = "query Source($key: String!) { job(key: $key) { executeFunction executeBody } }";

/** The code of an error: the source is not the one that its SHA-256 names. */
export const FORGED_SOURCE = "FORGED_SOURCE";

/**
 * What a job's owner wrote, and the same as the body of a function of `variable` and `context`.
 *
 * @typedef {{executeFunction: string, executeBody: string}} Source
 */

/** The sources of one pool, each asked for once. */
export class Sources {
  #graphql;
  /** @type {Map<string, Promise<Source>>} */
  #known = new Map();

  /** @param {import('./graphql.js').GraphQL} graphql */
  constructor(graphql) {
    this.#graphql = graphql;
  }

  /**
   * @param {{key: string, sha256: string}} job
   * @param {AbortSignal} [signal]
   * @returns {Promise<Source>}
   * @throws {import('./errors.js').PoolError}
   */
  of(job, signal) {
    const name = `${job.sha256} ${job.key}`;
    const source = this.#known.get(name) ?? this.#ask(job, signal);
    this.#known.set(name, source);
    source.catch(() => this.#known.delete(name));
    return source;
  }

  /** @param {{key: string, sha256: string}} job @param {AbortSignal} [signal] */
  async #ask({ key, sha256 }, signal) {
    const { job } = await this.#graphql.execute(SOURCE, { key }, signal);
    if (job === undefined) throw new NotAPool("no comp-pool answers: it was asked for a job");
    if (job && (await isGenuine(job.executeFunction, sha256))) return job;
    throw new PoolRefused({
      message: `${key}: the source is not the one that its SHA-256 names`,
      code: FORGED_SOURCE,
    });
  }
}

/**
 * Browsers can tell in secure contexts only.
 *
 * @param {string} text
 * @param {string} sha256 in hex
 */
async function isGenuine(text, sha256) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}
