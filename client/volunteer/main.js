/** The volunteer page: joins what computes and what is seen. */

import { PoolError } from "../src/errors.js";
import { counted } from "../shared/words.js";
import { put, say } from "../shared/dom.js";
import { Backoff } from "./backoff.js";
import { workerScript } from "./cell.js";
import { keepChoices, readChoices, supports } from "./choices.js";
import { clock } from "./clock.js";
import { pauseReason } from "./conditions.js";
import { identity } from "./identity.js";
import { exclusively, Outbox } from "./outbox.js";
import * as pool from "./pool.js";
import { Record } from "./record.js";
import { showFigures, showNotes, showStatus, showTasks, showVerdicts, waitWords } from "./view/activity.js";
import { promise, sayChoices, showChoices } from "./view/choices.js";
import { field, part } from "./view/elements.js";
import { showJobs } from "./view/jobs.js";
import { Volunteer } from "./volunteer.js";

/**
 * @typedef {import("./volunteer.js").Happening} Happening
 * @typedef {import("./choices.js").Choices} Choices
 */

const DRAW_MS = 250;
const STANDING_MS = 3_000;
const OFFERS_MS = 30_000;

let choices = readChoices();
/** @type {import("./pool.js").JobCard[]} */
let jobs = [];
/** @type {Map<string, {task: import("./pool.js").Task, at: number}>} */
const running = new Map();
const record = new Record();
/** @type {Awaited<ReturnType<typeof pool.standing>> | null} */
let standing = null;
/** Until when nothing is asked for, and why. @type {{why: string, until: number} | null} */
let waiting = null;
let paused = "";
let queued = 0;
/** @type {AbortController | null} */
let stopping = null;
/** @type {Volunteer | null} */
let volunteer = null;

const outbox = await Outbox.open(
  (report, receipt) => {
    volunteer?.settled(report.task);
    record.settle(report.task, receipt);
  },
  (why, ms) => (waiting = { why, until: Date.now() + ms }),
);

/** @param {Partial<Choices>} changed */
function change(changed) {
  choices = { ...choices, ...changed };
  keepChoices(choices);
  sayChoices(choices);
  sayPromise();
}

function sayPromise() {
  const supported = jobs.filter((job) => supports(choices, job));
  say(part("promise"), promise(choices, supported, stopping !== null));
}

/** @param {Happening} told */
function tell(told) {
  if (told.kind === "working") {
    waiting = null;
    paused = "";
  } else if (told.kind === "waiting") waiting = { why: told.why, until: Date.now() + told.ms };
  else if (told.kind === "paused") paused = told.why;
  else if (told.kind === "started") running.set(told.task.id, told);
  else if (told.kind === "ended") running.delete(told.task.id);
  else if (told.kind === "computed") record.add(told.task, told.elapsedMilliseconds, told.error);
  else if (told.kind === "lost") record.note(`A task of ${told.job} went to another volunteer: ${told.why}.`);
  else record.note(`${told.job} is not computed here any more: ${told.why}.`);
}

async function start() {
  stopping = new AbortController();
  const { signal } = stopping;
  swap(part("start"), part("stop"));
  part("activity").hidden = false;
  record.begin();
  sayPromise();
  showStatus("waiting", "Another tab of this browser computes. This one takes over when that one ends.");
  try {
    const script = await workerScript();
    await exclusively("comp-pool.volunteer", () => work(script, signal), signal);
  } catch (problem) {
    if (!signal.aborted) trouble(problem);
  } finally {
    stopping = volunteer = null;
    swap(part("stop"), part("start"));
    sayPromise();
    draw();
  }
}

/** @param {string[]} script @param {AbortSignal} signal */
async function work(script, signal) {
  const around = {
    choices: () => choices,
    jobs: () => jobs,
    pause: () => pauseReason(choices),
    tell,
    outbox,
    place: part("cells"),
    script,
  };
  volunteer = new Volunteer(around);
  waiting = null;
  await volunteer.run(signal);
  running.clear();
}

/** One button in the place of another, with the focus. @param {HTMLElement} before @param {HTMLElement} after */
function swap(before, after) {
  const focused = document.activeElement === before;
  before.hidden = true;
  after.hidden = false;
  if (focused) after.focus();
}

/** @param {unknown} problem */
function trouble(problem) {
  part("trouble").hidden = false;
  put(part("trouble"), problem instanceof Error ? problem.message : String(problem));
}

function draw() {
  showTasks(running.values());
  showVerdicts(record.entries);
  showNotes(record.notes);
  showFigures(
    { computed: record.computed, ratePerMinute: record.ratePerMinute, givenMs: record.givenMs, waiting: queued },
    standing,
  );
  if (identity.key) put(part("host"), "the volunteer ", identity.key);
  if (!stopping) showStatus("idle", record.computed ? "Stopped. Thank you." : "Nothing runs before you start it.");
  else if (stopping.signal.aborted) showStatus("working", "Giving back what is held.");
  else if (!volunteer) return;
  else if (paused) showStatus("paused", paused);
  else if (running.size) showStatus("working", `Computing ${counted(running.size, "task")}.`);
  else if (waiting) showStatus("waiting", `${waitWords(waiting.why)} ${soon(waiting.until)}`);
  else showStatus("working", "Computing.");
}

/** Coarse, for a screen reader is told of every change. @param {number} until */
function soon(until) {
  const seconds = Math.ceil((until - Date.now()) / 5_000) * 5;
  return seconds > 5 ? `Asking again in about ${seconds} s.` : "Asking again in a moment.";
}

/** Do something every now and then, whatever becomes of it. @param {number} ms @param {() => Promise<void>} chore */
async function regularly(ms, chore) {
  const backoff = new Backoff({ firstMs: ms });
  for (;;) {
    try {
      await chore();
      backoff.reset();
      await clock.sleep(ms);
    } catch (problem) {
      if (!(problem instanceof PoolError)) throw problem;
      await clock.sleep(backoff.afterFailure(problem.retryAfterSeconds));
    }
  }
}

async function look() {
  queued = await outbox.count();
  if (!identity.key || part("activity").hidden) return;
  standing = await pool.standing(identity.key);
  for (const entry of record.undecided()) {
    const now = await pool.verdict(entry.result);
    if (now) Object.assign(entry, { verdict: now.verdict, why: now.reason ?? "" });
  }
}

async function lookForOffers() {
  const offers = await pool.offers();
  const changed = JSON.stringify(offers.jobs.map(({ key }) => key)) !== JSON.stringify(jobs.map(({ key }) => key));
  jobs = offers.jobs;
  say(part("pool-name"), offers.name);
  if (changed || field("start").disabled) showJobs(offers, () => choices, change);
  sayPromise();
  field("start").disabled = false;
}

showChoices(choices, change);
if (!window.isSecureContext) {
  trouble(new Error("Over plain HTTP a browser can’t check what it would run. Please come by HTTPS."));
} else {
  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => stopping?.abort(new Error("stopped")));
  addEventListener("pagehide", () => volunteer?.leave());
  outbox.post(); // What an earlier visit could not deliver.
  regularly(OFFERS_MS, lookForOffers);
  regularly(STANDING_MS, look);
  regularly(DRAW_MS, async () => draw());
}
