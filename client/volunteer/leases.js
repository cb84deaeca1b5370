/**
 * The tasks that this host holds. Heartbeats have their leases run on until their results are taken. What is held, and
 * the claim that is under way, are kept in the browser: a tab that was killed gave nothing back, so the next one does,
 * and it repeats the claim whose answer nobody heard.
 *
 * @typedef {import("./pool.js").Task} Task
 * @typedef {{task: string, lease: string}} Held
 * @typedef {{first: number, jobs?: string[], idempotencyKey: string}} Claim
 * @typedef {{task: Task, beatAt: number, lost: AbortController, computed: boolean}} Lease
 */

import { PoolError, PoolRefused } from "../src/errors.js";
import { TASKS_PER_CALL } from "../src/schema.js";
import { Backoff } from "./backoff.js";
import { clock } from "./clock.js";
import * as pool from "./pool.js";

const KEY = "comp-pool.leases";
const CLAIM_KEY = "comp-pool.claim";
const TICK_MS = 250;
const BEATS_A_LEASE = 3;

export class Leases {
  /** @type {Map<string, Lease>} */
  #held = new Map();
  /** What is to be given back. @type {Held[]} */
  #left = /** @type {Held[]} */ (kept(KEY) ?? []);
  /** The claim that was not answered yet: by now, or to the last tab. */
  #claim = /** @type {Claim | null} */ (kept(CLAIM_KEY));
  /** @type {(task: Task) => void} */
  #lose;

  /** @param {(task: Task) => void} lose Called for a task whose lease was lost before it was computed. */
  constructor(lose) {
    this.#lose = lose;
  }

  get size() {
    return this.#held.size;
  }

  /**
   * What to claim: the last claim once more, as it was, until `add` gets its tasks.
   *
   * @param {{first: number, jobs?: string[]}} wanted
   * @returns {Claim & {repeated: boolean}}
   */
  nextClaim(wanted) {
    const repeated = this.#claim !== null;
    this.#claim ??= { ...wanted, idempotencyKey: newKey() };
    localStorage.setItem(CLAIM_KEY, JSON.stringify(this.#claim));
    return { ...this.#claim, repeated };
  }

  /** What was claimed. @param {Task[]} tasks */
  add(tasks) {
    for (const task of tasks) {
      this.#held.set(task.id, { task, beatAt: nextBeat(task), lost: new AbortController(), computed: false });
    }
    this.#keep();
    this.#claim = null;
    localStorage.removeItem(CLAIM_KEY);
  }

  /** @param {string} id */
  has(id) {
    return this.#held.has(id);
  }

  /** Aborted when the lease is lost. @param {string} id @returns {AbortSignal} */
  signal(id) {
    return this.#held.get(id)?.lost.signal ?? AbortSignal.abort();
  }

  /** Its result is on its way: it is posted even where the lease is lost meanwhile. @param {string} id */
  computed(id) {
    const lease = this.#held.get(id);
    if (lease) lease.computed = true;
    this.#keep();
  }

  /** @param {string} id */
  drop(id) {
    this.#held.delete(id);
    this.#keep();
  }

  /** Those that are not computed yet. @returns {Task[]} */
  uncomputed() {
    return [...this.#held.values()].filter(({ computed }) => !computed).map(({ task }) => task);
  }

  /** Give tasks back so that others may compute them: now, or before the next claim if the pool is away. @param {Task[]} tasks */
  async release(tasks) {
    this.#left.push(...tasks.filter(({ id }) => this.#held.delete(id)).map(heldOf));
    this.#keep();
    try {
      await this.releaseLeft();
    } catch (problem) {
      if (!(problem instanceof PoolError)) throw problem;
    }
  }

  /** Give back what is not wanted here any more, or what an earlier tab held to its end. @throws {PoolAway} */
  async releaseLeft() {
    while (this.#left.length) {
      const some = this.#left.slice(0, TASKS_PER_CALL);
      try {
        await pool.release(some);
      } catch (problem) {
        if (!(problem instanceof PoolRefused)) throw problem; // Another pool's, say: nothing is to be given back.
      }
      this.#left = this.#left.filter((held) => !some.includes(held));
      this.#keep();
    }
  }

  /** @param {AbortSignal} signal */
  async beat(signal) {
    const backoff = new Backoff();
    for (;;) {
      await clock.sleep(TICK_MS, signal);
      const due = [...this.#held.values()].filter(({ beatAt }) => beatAt <= Date.now()).slice(0, TASKS_PER_CALL);
      if (!due.length) continue;
      try {
        const lost = await pool.extend(due.map(({ task }) => heldOf(task)));
        for (const lease of due) lease.beatAt = nextBeat(lease.task);
        lost.forEach((id) => this.#forget(id));
        backoff.reset();
      } catch (problem) {
        if (!(problem instanceof PoolError)) throw problem;
        await clock.sleep(backoff.afterFailure(problem.retryAfterSeconds), signal);
      }
    }
  }

  /** The pool has given all that is held to others. */
  loseAll() {
    for (const id of [...this.#held.keys()]) this.#forget(id);
  }

  /** @param {string} id */
  #forget(id) {
    const lease = this.#held.get(id);
    this.#held.delete(id);
    this.#keep();
    if (!lease || lease.computed) return;
    lease.lost.abort(new Error("its lease was lost"));
    this.#lose(lease.task);
  }

  #keep() {
    localStorage.setItem(KEY, JSON.stringify([...this.#left, ...this.uncomputed().map(heldOf)]));
  }
}

/** @param {string} key @returns {any} What was kept by it, or null. */
function kept(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null; // Not ours.
  }
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(36)).join("-");

/** @param {Task} task @returns {Held} */
const heldOf = ({ id, lease }) => ({ task: id, lease });

/** @param {Task} task */
const nextBeat = ({ delayBoundSeconds }) => Date.now() + (delayBoundSeconds * 1000) / BEATS_A_LEASE;
