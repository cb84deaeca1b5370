/**
 * The loop of a volunteer: claim, check, compute, report, and start again.
 *
 * @typedef {import("./pool.js").Task} Task
 * @typedef {import("./pool.js").JobCard} JobCard
 * @typedef {import("./choices.js").Choices} Choices
 * @typedef {{kind: "working"}
 *   | {kind: "waiting", why: string, ms: number}
 *   | {kind: "paused", why: string}
 *   | {kind: "started", task: Task, at: number}
 *   | {kind: "ended", task: Task}
 *   | {kind: "computed", task: Task, elapsedMilliseconds: number, error?: string}
 *   | {kind: "lost", job: string, why: string}
 *   | {kind: "aside", job: string, why: string}} Happening
 * @typedef {{choices: () => Choices, jobs: () => JobCard[], pause: () => string, tell: (told: Happening) => void,
 *   outbox: import("./outbox.js").Outbox, place: HTMLElement, script: string[]}} Surroundings
 *   `jobs`: those that the pool is known to have; `pause`: why nothing is to be computed just now, or empty;
 *   `place`: where the sandboxes are put.
 */

import { PoolError } from "../src/graphql.js";
import { FORGED_SOURCE } from "../src/sources.js";
import { Backoff } from "./backoff.js";
import { Cell, CellLost, TookTooLong } from "./cell.js";
import { CORES, supports } from "./choices.js";
import { clock } from "./clock.js";
import { identity } from "./identity.js";
import { Leases } from "./leases.js";
import * as pool from "./pool.js";

const BATCH_MS = 2_000;
const PACE_WEIGHT = 0.2;
const MOST_AT_ONCE = 100;
const LOOK_MS = 50;
const LOOK_PAUSED_MS = 500;
const LAST_ANSWER_MS = 5_000;
const LONE_SURROGATE = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;

export class Volunteer {
  /** @type {Surroundings} */
  #around;
  #leases = new Leases((task) => this.#around.tell({ kind: "lost", job: task.name, why: "its lease was lost" }));
  /** @type {Task[]} */
  #queue = [];
  /** Tasks in whose company a sandbox was lost: they are computed alone now, to see which of them did it. */
  #suspects = new Set();
  /** Jobs that are not asked for any more. @type {Set<string>} */
  #aside = new Set();
  /** One a computation; `alone` for as long as there was no other beside it. @type {Set<{alone: boolean}>} */
  #running = new Set();
  /** The last claim, answered or not. @type {Promise<unknown>} */
  #claiming = Promise.resolve();
  /** Aborted once no answer is waited for any more. */
  #hurry = new AbortController();
  #suspectRuns = false;
  #batch = 1;
  #taskMs = 0;

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
  }

  /** How many tasks are held. */
  get held() {
    return this.#leases.size;
  }

  /** Compute until the signal is aborted; what is held then is given back. @param {AbortSignal} signal */
  async run(signal) {
    const ended = new AbortController();
    const until = AbortSignal.any([signal, ended.signal]);
    const chores = [this.#claim(until), this.#leases.beat(until)];
    for (let number = 0; number < CORES; number++) chores.push(this.#compute(number, until));
    try {
      await Promise.all(chores);
    } catch (problem) {
      if (!signal.aborted) throw problem;
    } finally {
      ended.abort();
      this.#queue = [];
      await this.#leases.release(this.#leases.uncomputed());
      await this.#lastAnswer();
      await this.#leases.release(this.#leases.uncomputed());
    }
  }

  /** Until the claim under way has brought its tasks. One that takes too long is repeated by the next start. */
  async #lastAnswer() {
    clock.sleep(LAST_ANSWER_MS).then(() => this.#hurry.abort());
    await this.#claiming.catch(() => {});
  }

  /** Give everything back while the page goes away. */
  leave() {
    const held = this.#leases.uncomputed().map(({ id, lease }) => ({ task: id, lease }));
    if (held.length) pool.releaseAtOnce(held.slice(0, MOST_AT_ONCE));
  }

  /** A report was taken, or is not wanted. @param {string} task */
  settled(task) {
    this.#leases.drop(task);
  }

  /** @param {AbortSignal} signal */
  async #claim(signal) {
    const backoff = new Backoff();
    const { tell } = this.#around;
    for (;;) {
      await this.#untilUnpaused(signal);
      if (this.#queue.length > this.#batch / 2) {
        await clock.sleep(LOOK_MS, signal);
        continue;
      }
      const wanted = this.#wanted();
      if (!wanted) {
        tell({ kind: "waiting", why: "NOTHING_CHOSEN", ms: 1_000 });
        await clock.sleep(1_000, signal);
        continue;
      }
      try {
        await this.#leases.releaseLeft();
        const claim = await (this.#claiming = this.#claimOnce({ ...wanted, ...this.#leases.claimName() }));
        signal.throwIfAborted();
        if (claim.tasks.length) {
          tell({ kind: "working" });
          backoff.reset();
          await this.#enqueue(claim.tasks);
        } else if (!this.held) {
          await this.#wait(claim.whyNoWork, backoff.whenIdle(claim.retryAfterSeconds), signal);
        } else {
          await clock.sleep(backoff.whenIdle(claim.retryAfterSeconds), signal);
        }
      } catch (problem) {
        if (!(problem instanceof PoolError)) throw problem;
        await this.#wait(problem.message, backoff.afterFailure(), signal);
      }
    }
  }

  /** @param {{jobs?: string[], idempotencyKey: string, repeated: boolean}} wanted @returns {Promise<import("./pool.js").Claim>} */
  async #claimOnce(wanted) {
    const first = Math.min(Math.max(1, this.#batch - this.#queue.length), MOST_AT_ONCE);
    try {
      const claim = await pool.claim(first, wanted, this.#hurry.signal);
      this.#leases.add(claim.tasks);
      return claim;
    } catch (problem) {
      if (!(problem instanceof PoolError && problem.code === "UNAUTHENTICATED" && identity.token)) throw problem;
      identity.token = ""; // Another pool's, or one that was forgotten.
      return this.#claimOnce(wanted);
    }
  }

  /** What to ask for: null where the volunteer left out all there is. @returns {{jobs?: string[]} | null} */
  #wanted() {
    const choices = this.#around.choices();
    if (!choices.leftOutJobs.length && !choices.leftOutOwners.length && !this.#aside.size) return {};
    const jobs = this.#around
      .jobs()
      .filter((job) => supports(choices, job) && !this.#aside.has(job.key))
      .map(({ key }) => key);
    return jobs.length ? { jobs: some(jobs, MOST_AT_ONCE) } : null;
  }

  /** Queue tasks whose source is genuine. Those of a forged one are given back. @param {Task[]} tasks */
  async #enqueue(tasks) {
    /** @type {PoolError | undefined} */
    let forged;
    for (const task of tasks) {
      try {
        await pool.source(task.job, task.sha256);
        this.#queue.push(task);
      } catch (problem) {
        await this.#leases.release([task]);
        if (!(problem instanceof PoolError && problem.code === FORGED_SOURCE)) throw problem;
        this.#setAside(task, problem.message);
        forged = problem;
      }
    }
    if (forged) throw forged;
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #compute(number, signal) {
    /** @type {Cell | null} */
    let cell = null;
    try {
      for (;;) {
        const task = await this.#next(number, signal);
        const suspect = this.#suspects.delete(task.id);
        // A frame that a suspect starts in has to be a live one: what is lost is lost by it.
        if (suspect) cell?.close();
        if (!cell || cell.closed) cell = new Cell(this.#around.place, this.#around.script);
        const run = { alone: !this.#running.size };
        for (const other of this.#running) other.alone = false;
        this.#running.add(run);
        this.#suspectRuns ||= suspect;
        const began = performance.now();
        try {
          await this.#computeIn(cell, task, run, AbortSignal.any([signal, this.#leases.signal(task.id)]));
        } catch (problem) {
          if (!(problem instanceof CellLost)) throw problem;
          this.#queue.unshift(task);
          this.#suspects.add(task.id);
        } finally {
          this.#running.delete(run);
          if (suspect) this.#suspectRuns = false;
          this.#around.tell({ kind: "ended", task });
        }
        const passedMs = performance.now() - began;
        this.#learnPace(passedMs);
        await this.#rest(passedMs, signal);
      }
    } finally {
      cell?.close();
    }
  }

  /**
   * @param {Cell} cell
   * @param {Task} task
   * @param {{alone: boolean}} run
   * @param {AbortSignal} signal
   * @throws {CellLost} Where another task may be to blame.
   */
  async #computeIn(cell, task, run, signal) {
    const patienceMs = Math.max(this.#around.choices().patienceSeconds, task.delayBoundSeconds) * 1000;
    this.#around.tell({ kind: "started", task, at: Date.now() });
    /** @type {import("./cell.js").Outcome} */
    let outcome;
    try {
      const source = await pool.source(task.job, task.sha256);
      outcome = await cell.compute(source, [task.variable, task.context], patienceMs, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof TookTooLong) {
        this.#setAside(task, problem.message);
        await this.#leases.release([task]);
        return;
      }
      if (!(problem instanceof CellLost && problem.began && run.alone)) throw problem;
      outcome = { kind: "memory", text: problem.message, elapsedMilliseconds: 0 };
    }
    await this.#report(task, outcome);
  }

  /** @param {Task} task @param {import("./cell.js").Outcome} outcome */
  async #report(task, outcome) {
    const { elapsedMilliseconds } = outcome;
    const made = outcome.kind === "returned" ? split(outcome.text) : { error: outcome.text };
    this.#leases.computed(task.id);
    this.#around.tell({ kind: "computed", task, elapsedMilliseconds, error: made.error });
    await this.#around.outbox.put({
      task: task.id,
      lease: task.lease,
      job: task.name,
      host: identity.token,
      elapsedMilliseconds,
      ...made,
    });
  }

  /** The next task of this slot, once it may start. @param {number} number @param {AbortSignal} signal */
  async #next(number, signal) {
    for (;;) {
      await this.#untilUnpaused(signal);
      while (this.#queue.length && !this.#leases.has(this.#queue[0].id)) this.#queue.shift();
      const [task] = this.#queue;
      const mayStart = task && !this.#suspectRuns && !(this.#suspects.has(task.id) && this.#running.size);
      if (mayStart && number < this.#around.choices().workers) return /** @type {Task} */ (this.#queue.shift());
      await clock.sleep(LOOK_MS, signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #untilUnpaused(signal) {
    for (let said = ""; ;) {
      const why = this.#around.pause();
      if (!why) {
        if (said) this.#around.tell({ kind: "working" });
        return;
      }
      if (said !== why) {
        this.#around.tell({ kind: "paused", why: (said = why) });
        await this.#leases.release(this.#queue.splice(0));
      }
      await clock.sleep(LOOK_PAUSED_MS, signal);
    }
  }

  /** Leave the machine the share of the time that it was promised. @param {number} ms @param {AbortSignal} signal */
  async #rest(ms, signal) {
    const { share } = this.#around.choices();
    if (share < 100) await clock.sleep((ms * (100 - share)) / share, signal);
  }

  /** @param {string} why @param {number} ms @param {AbortSignal} signal */
  async #wait(why, ms, signal) {
    this.#around.tell({ kind: "waiting", why, ms });
    await clock.sleep(ms, signal);
  }

  /** @param {Task} task @param {string} why */
  #setAside(task, why) {
    this.#aside.add(task.job);
    this.#around.tell({ kind: "aside", job: task.name, why });
    this.#leases.release(this.#queue.filter(({ job }) => job === task.job));
    this.#queue = this.#queue.filter(({ job }) => job !== task.job);
  }

  /** Ask for as many tasks as take about `BATCH_MS`, growing slowly: others want some too. @param {number} ms */
  #learnPace(ms) {
    this.#taskMs += (ms - this.#taskMs) * (this.#taskMs ? PACE_WEIGHT : 1);
    const { workers, share } = this.#around.choices();
    const ideal = Math.ceil((BATCH_MS * workers * share) / 100 / Math.max(this.#taskMs, 1));
    this.#batch = Math.min(2 * this.#batch, Math.max(workers, ideal), MOST_AT_ONCE);
  }
}

/**
 * A returned context as a result and the context without it.
 *
 * @param {string} json
 * @returns {{value: unknown, context: object, error?: undefined} | {error: string}}
 */
function split(json) {
  // No text of the pool's has half a character; JSON.stringify escapes each, and nothing else like it.
  const text = json.includes("\\ud")
    ? json.replace(LONE_SURROGATE, (each) => (each.startsWith("\\ud") ? "\\ufffd" : each))
    : json;
  const returned = JSON.parse(text);
  const isObject = typeof returned === "object" && returned !== null && !Array.isArray(returned);
  if (!isObject || !Object.hasOwn(returned, "result")) {
    const what = isObject ? "an object without it" : text.slice(0, 80);
    return { error: `execute_function must return the context with a field \`result\`, and returned ${what}` };
  }
  const { result: value, ...context } = returned;
  return { value, context };
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
