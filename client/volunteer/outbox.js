/**
 * Results on their way to the pool. They wait in IndexedDB, and so outlive the network, the pool and the page; one tab
 * at a time posts them. None is dropped while its lease or the pool can still take it: `tests/pool_answers.json` holds
 * what becomes of reports for each answer that a pool, or a proxy before it, may give. `volunteer/outbox.py` keeps the
 * same rules.
 *
 * @typedef {import("./pool.js").Report} Report
 * @typedef {(report: Report, receipt: import("./pool.js").Receipt) => void} Settled
 */

import { PoolAway, PoolError, PoolRefused, UNNAMED } from "../src/errors.js";
import { ErrorCode, REQUEST_BYTES, RESULTS_PER_CALL, TEMPORARY } from "../src/schema.js";
import { Backoff } from "./backoff.js";
import { clock } from "./clock.js";
import * as pool from "./pool.js";

const DATABASE = "comp-pool";
const STORE = "reports";
const MOST_CHARACTERS = REQUEST_BYTES / 8;
/** The report may be taken when it is made again. */
const LATER = new Set([...TEMPORARY, ErrorCode.FORBIDDEN, ErrorCode.QUOTA]);
/** The task is not this host's any more, or the host not the pool's: no report of it is ever taken. @type {ReadonlySet<string>} */
const GONE = new Set([ErrorCode.LEASE_LOST, ErrorCode.NOT_FOUND, ErrorCode.UNAUTHENTICATED]);

/** Volunteering takes no token: one that is refused says nothing of the task. @param {PoolError} refusal */
const mayBeTakenLater = ({ code, field }) =>
  LATER.has(code) || (code === ErrorCode.UNAUTHENTICATED && field !== "host");

export class Outbox {
  /** @type {IDBDatabase} */
  #database;
  /** @type {Settled} */
  #settled;
  /** @type {(why: string, ms: number) => void} */
  #waits;
  #backoff;
  /** @type {Promise<void> | null} */
  #posting = null;
  #again = false;
  /** How many reports make a batch: fewer after a failure, for one of them may be what makes the call fail. */
  #most = RESULTS_PER_CALL;
  /** Tasks whose reports failed: others go first. @type {Set<string>} */
  #behind = new Set();
  /** Tasks whose report was refused alone, without a reason that a pool gave. @type {Set<string>} */
  #suspects = new Set();

  /**
   * @param {IDBDatabase} database
   * @param {Settled} settled Called for each report that needs nothing more, taken or not.
   * @param {(why: string, ms: number) => void} waits
   * @param {Backoff} backoff
   */
  constructor(database, settled, waits, backoff) {
    this.#database = database;
    this.#settled = settled;
    this.#waits = waits;
    this.#backoff = backoff;
  }

  /** @param {Settled} settled @param {(why: string, ms: number) => void} waits @param {Backoff} [backoff] */
  static async open(settled, waits, backoff = new Backoff()) {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "task" });
    return new Outbox(await done(opening), settled, waits, backoff);
  }

  /** How many results wait. @returns {Promise<number>} */
  count() {
    return done(this.#store("readonly").count());
  }

  /** @param {Report} report */
  async put(report) {
    await done(this.#store("readwrite").put(report));
    this.post();
  }

  /** Post what there is, again after each failure until the pool has answered. */
  async post() {
    this.#again = true;
    this.#posting ??= this.#postAll().finally(() => (this.#posting = null));
    await this.#posting;
  }

  async #postAll() {
    while (this.#again) {
      this.#again = false;
      await exclusively("comp-pool.outbox", async () => {
        for (let batch; (batch = await this.#batch()).length;) await this.#postBatch(batch);
      });
    }
  }

  /** Results of one host, those that did not fail yet first. @returns {Promise<Report[]>} */
  async #batch() {
    const waiting = new Set(/** @type {string[]} */ (await done(this.#store("readonly").getAllKeys())));
    const fresh = [...waiting].filter((task) => !this.#behind.has(task));
    const failed = [...this.#behind].filter((task) => waiting.has(task));
    /** @type {Report[]} */
    const batch = [];
    let size = 0;
    for (const task of [...fresh, ...failed].slice(0, this.#most)) {
      /** @type {Report} */
      const report = await done(this.#store("readonly").get(task));
      size += JSON.stringify(report).length;
      if (batch.length && (size > MOST_CHARACTERS || report.host !== batch[0].host)) break;
      batch.push(report);
    }
    return batch;
  }

  /** @param {Report[]} batch */
  async #postBatch(batch) {
    try {
      await this.#submit(batch);
      this.#backoff.reset();
    } catch (problem) {
      if (!(problem instanceof PoolError)) throw problem;
      this.#putOff(batch);
      const ms = this.#backoff.afterFailure(problem.retryAfterSeconds);
      this.#waits(problem.message, ms);
      await clock.sleep(ms);
    }
  }

  /** @param {Report[]} batch @throws {PoolError} if some of it has to wait */
  async #submit(batch) {
    /** @type {import("./pool.js").Receipt[]} */
    let receipts;
    try {
      receipts = await pool.submit(batch[0].host, batch);
    } catch (problem) {
      if (!(problem instanceof PoolRefused) || mayBeTakenLater(problem)) throw problem;
      if (batch.length > 1 && !GONE.has(problem.code)) this.#halve(batch);
      else if (problem.code === UNNAMED) await this.#submitStandIn(batch[0], problem);
      else await this.#settleAll(batch, Array(batch.length).fill({ refusal: problem }));
      return;
    }
    this.#most = Math.min(2 * this.#most, RESULTS_PER_CALL);
    await this.#settleAll(batch, receipts);
  }

  /**
   * Post an error in the place of a result that made the call fail twice. If that fails alike, it is not the result's
   * fault, which is kept.
   *
   * @param {Report} report
   * @param {PoolRefused} refused
   * @throws {PoolError} if the result has to wait
   */
  async #submitStandIn(report, refused) {
    const isSuspect = this.#suspects.delete(report.task);
    if (!isSuspect) {
      this.#suspects.add(report.task);
      throw refused;
    }
    const standIn = standInFor(report, refused.message);
    /** @type {import("./pool.js").Receipt[]} */
    let receipts;
    try {
      receipts = await pool.submit(report.host, [standIn]);
    } catch (problem) {
      if (!(problem instanceof PoolRefused) || problem.code === UNNAMED || mayBeTakenLater(problem)) throw problem;
      receipts = [{ refusal: problem }];
    }
    await this.#settleAll([standIn], receipts);
  }

  /**
   * Draw the consequences of the pool's answers.
   *
   * @param {Report[]} batch
   * @param {import("./pool.js").Receipt[]} receipts
   * @throws {PoolAway} if some of the batch has to wait
   */
  async #settleAll(batch, receipts) {
    /** @type {PoolError | null} */
    let later = null;
    for (const [at, report] of batch.entries()) {
      const { refusal } = receipts[at];
      if (refusal && mayBeTakenLater(refusal)) {
        later = refusal;
      } else if (!refusal || GONE.has(refusal.code) || report.error !== undefined) {
        await this.#finish(report, receipts[at]);
      } else {
        await done(this.#store("readwrite").put(standInFor(report, refusal.message)));
      }
    }
    if (later) throw new PoolAway({ ...later, message: `some results can't be taken now: ${later.message}` });
  }

  /** Let others go first, and try fewer at a time. @param {Report[]} batch */
  #putOff(batch) {
    this.#halve(batch);
    for (const { task } of batch) {
      this.#behind.delete(task);
      this.#behind.add(task);
    }
  }

  /** @param {Report[]} batch */
  #halve(batch) {
    this.#most = Math.max(1, Math.floor(batch.length / 2));
  }

  /** @param {Report} report @param {import("./pool.js").Receipt} receipt */
  async #finish(report, receipt) {
    await done(this.#store("readwrite").delete(report.task));
    this.#behind.delete(report.task);
    this.#suspects.delete(report.task);
    this.#settled(report, receipt);
  }

  /** @param {IDBTransactionMode} mode */
  #store(mode) {
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }
}

/**
 * Do something while no other tab of this browser does it.
 *
 * @param {string} name
 * @param {() => Promise<void>} work
 * @param {AbortSignal} [signal] Ends the wait for other tabs.
 */
export async function exclusively(name, work, signal) {
  await navigator.locks.request(name, signal ? { signal } : {}, work);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What the job's owner learns instead of the result. @param {Report} report @param {string} why @returns {Report} */
function standInFor({ value, context, ...rest }, why) {
  return { ...rest, error: `the result can't be taken: ${why}` };
}
