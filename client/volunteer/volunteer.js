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

import { PoolError } from "../src/errors.js";
import { TASKS_PER_CALL, WhyNoWork } from "../src/schema.js";
import { FORGED_SOURCE } from "../src/sources.js";
import { Backoff } from "./backoff.js";
import { Cell, CellLost, TookTooLong } from "./cell.js";
import { CORES } from "./choices.js";
import { Claims } from "./claims.js";
import { clock } from "./clock.js";
import { identity } from "./identity.js";
import { Leases } from "./leases.js";
import { Pace } from "./pace.js";
import * as pool from "./pool.js";

const LOOK_MS = 50;
const LOOK_PAUSED_MS = 500;

export class Volunteer {
  /** @type {Surroundings} */
  #around;
  #leases = new Leases((task) => this.#around.tell({ kind: "lost", job: task.name, why: "its lease was lost" }));
  /** @type {Task[]} */
  #queue = [];
  /** Tasks in whose company a sandbox was lost: they are computed alone now, to see which of them did it. */
  #suspects = new Set();
  /** One a computation; `alone` for as long as there was no other beside it. @type {Set<{alone: boolean}>} */
  #running = new Set();
  #suspectRuns = false;
  #claims = new Claims(this.#leases);
  #pace = new Pace();

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
      await this.#claims.lastAnswer();
      await this.#leases.release(this.#leases.uncomputed());
    }
  }

  /** Give everything back while the page goes away. */
  leave() {
    const held = this.#leases.uncomputed().map(({ id, lease }) => ({ task: id, lease }));
    if (held.length) pool.releaseAtOnce(held.slice(0, TASKS_PER_CALL));
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
      if (this.#queue.length > this.#pace.batch / 2) {
        await clock.sleep(LOOK_MS, signal);
        continue;
      }
      const wanted = this.#claims.wanted(this.#around.choices(), this.#around.jobs());
      if (!wanted) {
        tell({ kind: "waiting", why: "NOTHING_CHOSEN", ms: 1_000 });
        await clock.sleep(1_000, signal);
        continue;
      }
      try {
        await this.#leases.releaseLeft();
        const claim = await this.#claims.ask(this.#pace.batch - this.#queue.length, wanted);
        signal.throwIfAborted();
        if (claim.tasks.length) {
          tell({ kind: "working" });
          backoff.reset();
          await this.#enqueue(claim.tasks);
        } else if (claim.whyNoWork === WhyNoWork.BLOCKED) {
          this.#leases.loseAll();
          // Not by `whenIdle`, which never waits for long.
          await this.#wait(claim.whyNoWork, backoff.afterFailure(claim.retryAfterSeconds), signal);
        } else if (!this.held) {
          await this.#wait(claim.whyNoWork, backoff.whenIdle(claim.retryAfterSeconds), signal);
        } else {
          await clock.sleep(backoff.whenIdle(claim.retryAfterSeconds), signal);
        }
      } catch (problem) {
        if (!(problem instanceof PoolError)) throw problem;
        await this.#wait(problem.message, backoff.afterFailure(problem.retryAfterSeconds), signal);
      }
    }
  }

  /** Queue tasks whose source is genuine. Those of a forged one, or of none, are given back. @param {Task[]} tasks */
  async #enqueue(tasks) {
    /** @type {PoolError | undefined} */
    let forged;
    for (const [at, task] of tasks.entries()) {
      try {
        await pool.source(task.job, task.sha256);
        this.#queue.push(task);
      } catch (problem) {
        const isForged = problem instanceof PoolError && problem.code === FORGED_SOURCE;
        await this.#leases.release(isForged ? [task] : tasks.slice(at));
        if (!isForged) throw problem;
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
        this.#pace.learn(passedMs, this.#around.choices());
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
    const began = performance.now();
    this.#around.tell({ kind: "started", task, at: Date.now() });
    /** @type {import("./cell.js").Outcome} */
    let outcome;
    try {
      const source = await pool.source(task.job, task.sha256);
      outcome = await cell.compute(source, [task.variable, task.context], patienceMs, signal);
    } catch (problem) {
      if (signal.aborted) return;
      const isToBlame = problem instanceof TookTooLong || (problem instanceof CellLost && problem.began && run.alone);
      if (!isToBlame) throw problem;
      outcome = { error: problem.message, elapsedMilliseconds: Math.round(performance.now() - began) };
    }
    await this.#report(task, outcome);
  }

  /** @param {Task} task @param {import("./cell.js").Outcome} outcome */
  async #report(task, outcome) {
    const { elapsedMilliseconds, error } = outcome;
    this.#leases.computed(task.id);
    this.#around.tell({ kind: "computed", task, elapsedMilliseconds, error });
    await this.#around.outbox.put({
      task: task.id,
      lease: task.lease,
      job: task.name,
      host: identity.token,
      ...outcome,
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
    this.#claims.setAside(task.job);
    this.#around.tell({ kind: "aside", job: task.name, why });
    this.#leases.release(this.#queue.filter(({ job }) => job === task.job));
    this.#queue = this.#queue.filter(({ job }) => job !== task.job);
  }
}
