/**
 * Asking for tasks.
 *
 * @typedef {import("./pool.js").Claim} Claim
 * @typedef {import("./pool.js").JobCard} JobCard
 * @typedef {import("./choices.js").Choices} Choices
 */

import { PoolError } from "../src/errors.js";
import { ErrorCode, JOBS_PER_CLAIM, TASKS_PER_CLAIM } from "../src/schema.js";
import { supports } from "./choices.js";
import { clock } from "./clock.js";
import { identity } from "./identity.js";
import * as pool from "./pool.js";

const LAST_ANSWER_MS = 5_000;

export class Claims {
  #leases;
  /** Jobs that are not asked for any more. @type {Set<string>} */
  #aside = new Set();
  /** The last claim, answered or not. @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** Aborted once no answer is waited for any more. */
  #hurry = new AbortController();

  /** @param {import("./leases.js").Leases} leases Gets the tasks. */
  constructor(leases) {
    this.#leases = leases;
  }

  /** Ask for no tasks of a job any more. @param {string} job */
  setAside(job) {
    this.#aside.add(job);
  }

  /**
   * What to ask for: null where the volunteer left out all there is.
   *
   * @param {Choices} choices
   * @param {JobCard[]} jobs Those that the pool is known to have.
   * @returns {{jobs?: string[]} | null}
   */
  wanted(choices, jobs) {
    if (!choices.leftOutJobs.length && !choices.leftOutOwners.length && !this.#aside.size) return {};
    const keys = jobs.filter((job) => supports(choices, job) && !this.#aside.has(job.key)).map(({ key }) => key);
    return keys.length ? { jobs: some(keys, JOBS_PER_CLAIM) } : null;
  }

  /** @param {number} first How many at most. @param {{jobs?: string[]}} wanted @returns {Promise<Claim>} @throws {PoolError} */
  ask(first, wanted) {
    const most = Math.min(Math.max(1, first), TASKS_PER_CLAIM);
    const answer = this.#ask(this.#leases.nextClaim({ ...wanted, first: most }), wanted);
    this.#last = answer;
    return answer;
  }

  /** Until the claim under way has brought its tasks. One that takes too long is repeated by the next start. */
  async lastAnswer() {
    clock.sleep(LAST_ANSWER_MS).then(() => this.#hurry.abort());
    await this.#last.catch(() => {});
  }

  /**
   * @param {ReturnType<import("./leases.js").Leases["nextClaim"]>} asked
   * @param {{jobs?: string[]}} wanted What is wanted by now, if the claim is an earlier one.
   * @returns {Promise<Claim>}
   */
  async #ask(asked, wanted) {
    try {
      const claim = await pool.claim(asked, this.#hurry.signal);
      this.#leases.add(claim.tasks);
      const unwanted = claim.tasks.filter(({ job }) => wanted.jobs?.includes(job) === false);
      await this.#leases.release(unwanted);
      return { ...claim, tasks: claim.tasks.filter((task) => !unwanted.includes(task)) };
    } catch (problem) {
      const isRefused = problem instanceof PoolError && problem.code === ErrorCode.UNAUTHENTICATED;
      const isUnknown = isRefused && problem.field === "host";
      if (!isUnknown || !identity.token) throw problem;
      identity.token = ""; // Another pool's, or one that was forgotten.
      return this.#ask(asked, wanted);
    }
  }
}

/** At most so many of a list, at random. @template T @param {T[]} list @param {number} most */
function some(list, most) {
  if (list.length <= most) return list;
  return list
    .map((each) => ({ each, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, most)
    .map(({ each }) => each);
}
