// What can go wrong with a call of a pool's API.

import { TEMPORARY } from "./schema.js";

/** Codes of problems that no pool named. */
export const UNREACHABLE = "UNREACHABLE";
export const NOT_A_POOL = "NOT_A_POOL";
export const UNNAMED = "REFUSED";

/**
 * What the pool says is wrong: of a mutation's input, or of a whole request.
 *
 * @typedef {{message: string, code?: string, field?: string | null, retryAfterSeconds?: number}} Problem
 */

/** What the pool refused, or could not do. */
export class PoolError extends Error {
  /** @param {Problem} problem */
  constructor({ message, code = UNNAMED, field, retryAfterSeconds }) {
    super(message);
    this.name = new.target.name;
    /**
     * The kind of error, such as an `ErrorCode`; `UNREACHABLE` when the pool did not answer, `NOT_A_POOL` when something
     * else did, `REFUSED` when the answer names no code.
     */
    this.code = code;
    /** The path of the input at fault; empty: there is none. */
    this.field = field ?? "";
    /** The seconds to wait before the next call, if the answer says so; otherwise 0. */
    this.retryAfterSeconds = Math.max(0, Number(retryAfterSeconds) || 0);
  }

  /**
   * The error for a problem.
   *
   * @param {Problem} problem
   * @returns {PoolAway | PoolRefused}
   */
  static of(problem) {
    return TEMPORARY.has(problem.code ?? "") ? new PoolAway(problem) : new PoolRefused(problem);
  }
}

/** The pool did not answer, or can't at the moment: it is starting or stopping, or there is no network. Try again. */
export class PoolAway extends PoolError {
  /** @param {Problem | string} problem */
  constructor(problem) {
    super(typeof problem === "string" ? { message: problem, code: UNREACHABLE } : problem);
  }
}

/** What answers is no pool: the address is wrong or, where a pool answered before, a proxy answers instead of it. */
export class NotAPool extends PoolAway {
  /** @param {string} message @param {number} [retryAfterSeconds] */
  constructor(message, retryAfterSeconds) {
    super({ message, code: NOT_A_POOL, retryAfterSeconds });
  }
}

/** The pool refused the request, and will refuse it again. */
export class PoolRefused extends PoolError {
  /** All that is wrong with it, the error's own problem first. @type {Problem[]} */
  problems;

  /** @param {Problem} problem @param {Problem[]} [others] */
  constructor(problem, others = []) {
    super(problem);
    this.problems = [problem, ...others];
  }
}
