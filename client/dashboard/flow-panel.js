/** The details of one job or level of a flow, kept up to date while the panel is open. */

import { h, put } from "../shared/dom.js";
import { PoolAway, ask } from "../shared/graphql.js";
import { ENDED_NODE_STATES, FlowNodeState, TaskState } from "../src/schema.js";
import { ago, counted, moment, span } from "../shared/words.js";
import { facts, json } from "./parts.js";
import { highlighted } from "./highlight.js";
import { pause } from "./live.js";
import { badge, named } from "./states.js";

/** The states of a job in which the present run counts. @type {ReadonlySet<string>} */
const COUNTED = new Set([FlowNodeState.QUEUED, FlowNodeState.RUNNING, FlowNodeState.COMPLETED, FlowNodeState.FAILED]);
const JOB = `query ($key: String!, $number: Int!) { flow(key: $key) { job(number: $number) {
  number jobKey variableKey as if while state reason iteration result startedAt finishedAt
  whyWaiting { message }
  runs(first: 20) { pageInfo { hasNextPage } nodes {
    iteration variable context reason createdAt finishedAt
    results { verdict reason value error elapsedMilliseconds createdAt host { key name trusted } }
    tasks { state host attempt leasedAt deadline }
  } }
} } }`;
const LEVEL = `query ($key: String!, $number: Int!) { flow(key: $key) { level(number: $number) {
  number depth state reason context merged jobCount startedAt finishedAt
} } }`;
const REREAD_MS = 2000;

/** @param {string} key @param {number} job @param {Element} body @param {AbortSignal} signal */
export async function jobPanel(key, job, body, signal) {
  await kept(JOB, { key, number: job }, signal, ({ flow }) => {
    if (changed(body, flow.job)) put(body, jobDetails(flow.job));
    return flow.job.state;
  });
}

/** @param {string} key @param {number} level @param {Element} body @param {AbortSignal} signal */
export async function levelPanel(key, level, body, signal) {
  await kept(LEVEL, { key, number: level }, signal, ({ flow }) => {
    if (changed(body, flow.level)) put(body, levelDetails(flow.level));
    return flow.level.state;
  });
}

/** Read again until what is shown has ended. @param {string} query @param {Record<string, unknown>} variables @param {AbortSignal} signal @param {(data: any) => string} show Returns the state. */
async function kept(query, variables, signal, show) {
  while (!signal.aborted) {
    try {
      if (ENDED_NODE_STATES.has(show(await ask(query, variables, signal)))) return;
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof PoolAway)) throw problem;
    }
    await pause(REREAD_MS, signal);
  }
}

/** Whether there is something new to show: what is open stays open otherwise. @param {Element} body @param {unknown} data */
function changed(body, data) {
  const stamp = JSON.stringify(data);
  if (shown.get(body) === stamp) return false;
  shown.set(body, stamp);
  return true;
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/** @param {any} job */
function jobDetails(job) {
  const link = h("a", { href: `#/jobs/${encodeURIComponent(job.jobKey)}` }, job.jobKey);
  const sources = [
    ["if", job.if],
    ["while", job.while],
  ].filter(([, source]) => source);
  const runs = [...job.runs.nodes].reverse();
  return [
    h("p", null, badge(job.state)),
    job.reason && h("p", { class: "broken" }, job.reason),
    job.whyWaiting.length > 0 &&
      h(
        "ul",
        { class: "waits" },
        job.whyWaiting.map((/** @type {any} */ why) => h("li", null, why.message)),
      ),
    facts([
      ["job", link],
      ["variable", job.variableKey],
      ["as", job.as],
      ["runs", runsOf(job)],
      ["took", took(job)],
    ]),
    sources.map(([name, source]) => h("details", null, h("summary", null, name), highlighted(source))),
    job.result !== null && h("details", { open: true }, h("summary", null, "Result"), json(job.result)),
    h("h3", null, runs.length ? "Runs" : "It has not run yet."),
    runs.map((run, at) => runDetails(run, at === 0)),
    job.runs.pageInfo.hasNextPage && h("p", { class: "soft" }, "The first 20 runs are shown."),
  ];
}

/** How many runs a job had, the present one included. @param {{state: string, iteration: number}} job */
export function runsOf({ state, iteration }) {
  return iteration + (COUNTED.has(state) ? 1 : 0);
}

/** @param {any} run @param {boolean} open */
function runDetails(run, open) {
  const votes = new Map();
  for (const { verdict } of run.results) votes.set(verdict, (votes.get(verdict) ?? 0) + 1);
  const tally = [...votes].map(([verdict, count]) => `${count} ${named(verdict)}`).join(", ") || "no votes yet";
  return h(
    "details",
    { open, class: "run" },
    h("summary", null, `Run ${run.iteration + 1}: ${tally}`),
    run.reason && h("p", { class: "broken" }, run.reason),
    run.results.map(resultDetails),
    run.tasks.filter((/** @type {any} */ task) => task.state !== TaskState.REPORTED).map(taskLine),
    h("details", null, h("summary", null, "Variable"), json(run.variable)),
    h("details", null, h("summary", null, "Context"), json(run.context)),
  );
}

/** @param {any} result */
export function resultDetails(result) {
  const { host } = result;
  const who = host ? `${host.name ?? "host"} (${host.key})${host.trusted ? ", trusted" : ""}` : "unknown host";
  return h(
    "div",
    { class: "result" },
    h(
      "p",
      null,
      badge(result.verdict),
      h("span", { class: "soft" }, ` ${who}, ${span(result.elapsedMilliseconds)}, ${ago(result.createdAt)}`),
    ),
    result.reason && h("p", { class: "soft" }, result.reason),
    result.error ? h("pre", { class: "broken", tabindex: 0 }, result.error) : json(result.value),
  );
}

/** @param {any} task */
function taskLine(task) {
  const who = task.host ? ` at ${task.host}` : "";
  const until = task.state === TaskState.LEASED && task.deadline ? `, until ${moment(task.deadline)}` : "";
  return h(
    "p",
    { class: "task" },
    badge(task.state),
    h("span", { class: "soft" }, `${who}${until}, leased ${counted(task.attempt, "time")}`),
  );
}

/** @param {any} level */
function levelDetails(level) {
  return [
    h("p", null, badge(level.state)),
    level.reason && h("p", { class: "broken" }, level.reason),
    facts([
      ["jobs", level.jobCount],
      ["levels above it", level.depth],
      ["took", took(level)],
    ]),
    level.context !== null && h("details", null, h("summary", null, "Context that its jobs get"), json(level.context)),
    level.merged !== null &&
      h("details", { open: true }, h("summary", null, "What its jobs made together"), json(level.merged)),
  ];
}

/** @param {{startedAt: string | null, finishedAt: string | null}} times */
function took({ startedAt, finishedAt }) {
  if (!startedAt) return null;
  return finishedAt ? span(Date.parse(finishedAt) - Date.parse(startedAt)) : `since ${moment(startedAt)}`;
}
