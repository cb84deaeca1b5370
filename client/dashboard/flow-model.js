/**
 * A flow as its pictures see it: levels and jobs as flat lists, and counts that are kept while jobs change.
 *
 * @typedef {{number: number, job: string, as: string, state: string, iteration: number, start: number, end: number, level: Level, at: number}} Job
 *   `start` and `end` in ms since the epoch; 0: not yet. `at` is its place in its level.
 * @typedef {{number: number, depth: number, parent: Level | null, jobs: Job[], below: Level[], title: string,
 *   own: Record<string, number>, all: Record<string, number>, open: boolean}} Level
 *   `own` counts its jobs by state, `all` those of the levels below too.
 */

import { counted } from "../shared/words.js";
import { ENDED_NODE_STATES, FlowNodeState } from "../src/schema.js";
import { NODE_STATES } from "./states.js";

/** So many jobs are shown one by one at first; levels beyond begin closed. */
const OPEN_JOBS = 1500;
const OPEN_LEVELS = 300;
const NAMES = 3;

export class FlowModel {
  /** @param {any} tree As `Flow.tree` has it. @param {FlowModel | null} before Levels stay open or closed as they were. */
  constructor(tree, before = null) {
    /** @type {Map<number, Job>} */
    this.jobs = new Map();
    /** Every level comes before those it depends on. @type {Level[]} */
    this.levels = [];
    this.read(tree);
    for (const level of [...this.levels].reverse()) {
      for (const job of level.jobs) level.own[job.state] += 1;
      for (const state of NODE_STATES) level.all[state] += level.own[state];
      if (level.parent) for (const state of NODE_STATES) level.parent.all[state] += level.all[state];
    }
    if (before?.levels.length === this.levels.length) {
      this.levels.forEach((level, at) => (level.open = before.levels[at].open));
    } else {
      this.openSome();
    }
  }

  /** @param {any} tree */
  read(tree) {
    /** @type {[any, Level | null][]} */
    const left = [[tree, null]];
    for (let next = left.pop(); next; next = left.pop()) {
      const [told, parent] = next;
      /** @type {Level} */
      const level = {
        number: Number(told.id),
        depth: parent ? parent.depth + 1 : 0,
        parent,
        jobs: [],
        below: [],
        title: titleOf(told.jobs),
        own: zeros(),
        all: zeros(),
        open: false,
      };
      level.jobs = told.jobs.map((/** @type {any} */ job, /** @type {number} */ at) => this.job(job, level, at));
      parent?.below.push(level);
      this.levels.push(level);
      for (let at = told.dependent.length - 1; at >= 0; at -= 1) left.push([told.dependent[at], level]);
    }
  }

  /** @param {any} told @param {Level} level @param {number} at */
  job(told, level, at) {
    const { job, as, state, iteration, startedAt, finishedAt } = told;
    const times = { start: startedAt ?? 0, end: finishedAt ?? 0 };
    const made = { number: Number(told.id), job, as, state, iteration, ...times, level, at };
    this.jobs.set(made.number, made);
    return made;
  }

  openSome() {
    let jobs = OPEN_JOBS;
    let levels = OPEN_LEVELS;
    for (let queue = this.levels.slice(0, 1); queue.length && levels > 0;) {
      const deeper = [];
      for (const level of queue) {
        jobs -= level.jobs.length;
        levels -= 1;
        if (jobs < 0 || levels < 0) return;
        level.open = true;
        deeper.push(...level.below);
      }
      queue = deeper;
    }
  }

  /** @param {boolean} open */
  openAll(open) {
    for (const level of this.levels) level.open = open;
  }

  /** Take in jobs as a delta has them. @param {any[]} changed */
  apply(changed) {
    for (const told of changed) {
      const job = this.jobs.get(told.number);
      if (!job) continue;
      if (job.state !== told.state) {
        job.level.own[job.state] -= 1;
        job.level.own[told.state] += 1;
        for (let level = /** @type {Level | null} */ (job.level); level; level = level.parent) {
          level.all[job.state] -= 1;
          level.all[told.state] += 1;
        }
      }
      job.state = told.state;
      job.iteration = told.iteration;
      job.start = told.startedAt ? Date.parse(told.startedAt) : 0;
      job.end = told.finishedAt ? Date.parse(told.finishedAt) : 0;
    }
  }

  /** The levels whose parents are all open, in order. @returns {Level[]} */
  shown() {
    const shown = [];
    for (const level of this.levels) {
      if (!level.parent || (level.parent.open && shownBefore.get(level.parent) === this)) {
        shownBefore.set(level, this);
        shown.push(level);
      } else {
        shownBefore.delete(level);
      }
    }
    return shown;
  }

  /** When its first job started and its last one ended, in ms. */
  times() {
    let start = Infinity;
    let end = 0;
    for (const job of this.jobs.values()) {
      if (job.start && job.start < start) start = job.start;
      if (job.end > end) end = job.end;
    }
    return { start, end };
  }
}

/** Which model showed a level last. @type {WeakMap<Level, FlowModel>} */
const shownBefore = new WeakMap();

/** What a level is doing, by what its jobs do. @param {Level} level */
export function stateOf(level) {
  const { own } = level;
  const total = level.jobs.length;
  if (own.FAILED) return FlowNodeState.FAILED;
  if (own.RUNNING) return FlowNodeState.RUNNING;
  if (own.WAITING === total) return FlowNodeState.WAITING;
  if (own.QUEUED || own.WAITING) return FlowNodeState.QUEUED;
  if (own.CANCELLED) return FlowNodeState.CANCELLED;
  return own.SKIPPED === total ? FlowNodeState.SKIPPED : FlowNodeState.COMPLETED;
}

/** How many jobs of some counts have ended. @param {Record<string, number>} counts */
export function endedOf(counts) {
  let ended = 0;
  for (const state of ENDED_NODE_STATES) ended += counts[state];
  return ended;
}

/** @param {Level} level */
export function nameOf(level) {
  return level.parent ? `Level ${level.number}` : "Root level";
}

function zeros() {
  return Object.fromEntries(NODE_STATES.map((state) => [state, 0]));
}

/** @param {any[]} jobs */
function titleOf(jobs) {
  const counts = new Map();
  for (const { job } of jobs) counts.set(job, (counts.get(job) ?? 0) + 1);
  const names = [...counts].slice(0, NAMES).map(([job, count]) => (count > 1 ? `${job} \u00d7 ${count}` : job));
  if (counts.size > NAMES) names.push(counted(counts.size - NAMES, "more job", "more jobs"));
  return names.join(", ");
}
