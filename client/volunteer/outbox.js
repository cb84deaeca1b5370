/**
 * Results on their way to the pool. They wait in IndexedDB, and so outlive the network, the pool and the page; one tab
 * at a time posts them.
 *
 * @typedef {import("./pool.js").Report} Report
 * @typedef {(report: Report, receipt: import("./pool.js").Receipt) => void} Settled
 */

import { PoolAway, PoolRefused } from "../src/graphql.js";
import { Backoff } from "./backoff.js";
import { clock } from "./clock.js";
import * as pool from "./pool.js";

const DATABASE = "comp-pool";
const STORE = "reports";
const MOST_AT_ONCE = 100;
const MOST_CHARACTERS = 4_000_000;

export class Outbox {
  /** @type {IDBDatabase} */
  #database;
  /** @type {Settled} */
  #settled;
  /** @type {(why: string, ms: number) => void} */
  #waits;
  #backoff = new Backoff();
  /** @type {Promise<void> | null} */
  #posting = null;
  #again = false;

  /**
   * @param {IDBDatabase} database
   * @param {Settled} settled Called for each report that needs nothing more, taken or not.
   * @param {(why: string, ms: number) => void} waits
   */
  constructor(database, settled, waits) {
    this.#database = database;
    this.#settled = settled;
    this.#waits = waits;
  }

  /** @param {Settled} settled @param {(why: string, ms: number) => void} waits */
  static async open(settled, waits) {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "task" });
    return new Outbox(await done(opening), settled, waits);
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

  /** The oldest results of one host. @returns {Promise<Report[]>} */
  async #batch() {
    /** @type {Report[]} */
    const reports = await done(this.#store("readonly").getAll(null, MOST_AT_ONCE));
    /** @type {Report[]} */
    const batch = [];
    let size = 0;
    for (const report of reports) {
      size += JSON.stringify(report).length;
      if (batch.length && (size > MOST_CHARACTERS || report.host !== batch[0].host)) break;
      batch.push(report);
    }
    return batch;
  }

  /** @param {Report[]} batch */
  async #postBatch(batch) {
    /** @type {import("./pool.js").Receipt[]} */
    let receipts;
    try {
      receipts = await pool.submit(batch[0].host, batch);
      for (const [at, report] of batch.entries()) await this.#settle(report, receipts[at]);
      const later = receipts.find(({ refusal }) => refusal instanceof PoolAway)?.refusal;
      if (later) throw later;
      this.#backoff.reset();
    } catch (problem) {
      if (problem instanceof PoolRefused) {
        // The call as a whole, and so every one like it.
        for (const report of batch) await this.#finish(report, { refusal: problem });
      } else if (problem instanceof PoolAway) {
        const ms = this.#backoff.afterFailure();
        this.#waits(problem.message, ms);
        await clock.sleep(ms);
      } else {
        throw problem;
      }
    }
  }

  /** @param {Report} report @param {import("./pool.js").Receipt} receipt */
  async #settle(report, receipt) {
    const { refusal } = receipt;
    if (
      !refusal ||
      refusal.code === pool.LEASE_LOST ||
      (report.error !== undefined && refusal instanceof PoolRefused)
    ) {
      await this.#finish(report, receipt);
    } else if (refusal instanceof PoolRefused) {
      // Its owner is told that there is no result, and why.
      const { value, context, ...rest } = report;
      const error = `the result can't be taken: ${refusal.message}`;
      await done(this.#store("readwrite").put({ ...rest, error }));
    }
  }

  /** @param {Report} report @param {import("./pool.js").Receipt} receipt */
  async #finish(report, receipt) {
    await done(this.#store("readwrite").delete(report.task));
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
