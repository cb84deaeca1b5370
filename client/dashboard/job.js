/** One job: its source, how its results are trusted, and its variables with their results, failures first. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { NODES_PER_PAGE, Review, TaskState, VariableState, Verdict, Visibility } from "../src/schema.js";
import { ago, brief, counted, moment, span } from "../shared/words.js";
import { histogram } from "./charts.js";
import { resultDetails } from "./flow-panel.js";
import { upper } from "./flows.js";
import { highlighted } from "./highlight.js";
import { keepReading, livenessLine } from "./live.js";
import { facts, field, json, pager, table, tabs } from "./parts.js";
import { badge, named, stateBar, stateCounts } from "./states.js";

const JOB = `query ($key: String!, $locale: String!) { job(key: $key) {
  key name owner state review reviewReason executeFunction sha256 validateResult variableScheduler compareResults metadata schedulerProblem
  createdAt updatedAt runMilliseconds description(locale: $locale) viewerCanRead
  policy { quorum targetResults maxErrors maxTotal delayBoundSeconds adaptive acceptsVariablesFrom maxIterations visibility }
} }`;
const COUNTS = "query ($key: String!) { job(key: $key) { variableCounts { done open new cancelled failed } } }";
const VARIABLES = `query ($key: String!, $first: Int!, $after: String, $state: VariableState) { job(key: $key) {
  variables(first: $first, after: $after, state: $state) {
    pageInfo { hasNextPage endCursor }
    nodes { key value state reason createdAt canonicalResult { value } }
  }
} }`;
const RESULTS = `query ($key: String!, $id: String!) { variable(job: $key, id: $id) {
  results(first: 20) { pageInfo { hasNextPage }
    nodes { verdict reason value error elapsedMilliseconds createdAt host { key name trusted } } }
  tasks { state host attempt deadline }
} }`;
const TIMES = `query ($key: String!, $after: String) { job(key: $key) {
  results(first: ${NODES_PER_PAGE}, after: $after) { pageInfo { hasNextPage endCursor } nodes { elapsedMilliseconds error } }
} }`;
const PAGE = 25;
const MOST_TIMES = 500;
const { FAILED, OPEN, DONE, NEW, CANCELLED } = VariableState;
const STATES = [FAILED, OPEN, DONE, NEW, CANCELLED];

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function jobPage(main, { path: [key], query, signal, go }) {
  const { job } = await ask(JOB, { key, locale: navigator.language }, signal);
  document.title = `${job.name} - comp-pool`;
  const { line, status } = livenessLine();
  const counts = h("div");
  const times = h("div");
  const variables = variableTable(key, query.get("state") ?? "", signal, go);
  put(
    main,
    h("p", { class: "crumbs" }, h("a", { href: "#/jobs" }, "Jobs")),
    h("div", { class: "head" }, h("h1", null, job.name), badge(job.state), line),
    job.description && h("p", null, job.description),
    !job.viewerCanRead &&
      h("p", { class: "soft" }, "This job is private: only its owner and operators see its variables and results."),
    reviewLine(job),
    job.schedulerProblem &&
      h("p", { class: "broken" }, `Its variableScheduler was passed over: ${job.schedulerProblem}`),
    h(
      "div",
      { class: "columns" },
      sourceCard(job),
      h("section", { class: "card" }, h("h2", null, "Policy"), policyFacts(job)),
    ),
    h("section", { class: "card" }, h("h2", null, "Run times"), times),
    h("section", { class: "card" }, h("h2", null, "Variables"), counts, variables.element),
  );
  let known = "";
  await keepReading(
    async () => {
      const { variableCounts } = (await ask(COUNTS, { key }, signal)).job;
      const stamp = JSON.stringify(variableCounts);
      if (stamp === known) return;
      known = stamp;
      const all = upper(variableCounts);
      put(
        counts,
        h("div", { class: "wide-bar" }, stateBar(all, "Variables: ")),
        h("p", { class: "counts" }, stateCounts(all)),
      );
      await variables.read();
      put(times, histogram("Time of one run", await runTimes(key, signal)));
    },
    status,
    signal,
    3000,
  );
}

/** What the pool's operator thinks of a job. @param {any} job */
function reviewLine({ review, reviewReason }) {
  if (review === Review.APPROVED) return null;
  if (review === Review.PENDING) {
    return h("p", { role: "status" }, "It waits for the operator's approval: nothing of it is computed until then.");
  }
  return h("p", { class: "broken" }, `The operator rejected it${reviewReason ? `: ${reviewReason}` : "."}`);
}

/** @param {any} job */
function sourceCard(job) {
  const sources = [
    ["executeFunction", job.executeFunction],
    ["validateResult", job.validateResult],
    ["variableScheduler", job.variableScheduler],
    ["compareResults", job.compareResults],
  ].filter(([, source]) => source);
  const shown = sources.map(([name, source]) => ({ name, title: name, show: () => highlighted(source) }));
  return h(
    "section",
    { class: "card" },
    h("h2", null, "Source"),
    tabs("source", shown, "executeFunction").element,
    h("p", { class: "soft digest" }, `SHA-256 ${job.sha256}`),
  );
}

/** @param {any} job */
function policyFacts({ policy, owner, key, createdAt, updatedAt, runMilliseconds, metadata }) {
  return [
    facts([
      ["equal results wanted", policy.quorum],
      ["results asked for at first", policy.targetResults],
      ["failures until given up", policy.maxErrors],
      ["tasks of a variable at most", policy.maxTotal],
      ["a lease runs", span(1000 * policy.delayBoundSeconds)],
      ["takes the word of trusted hosts", policy.adaptive ? "yes" : "no"],
      ["takes variables from", named(policy.acceptsVariablesFrom)],
      ["is read by", policy.visibility === Visibility.PRIVATE ? "its owner and operators" : "everybody"],
      ["repeats of a while at most", policy.maxIterations],
      ["one run takes", runMilliseconds === null ? null : `about ${span(runMilliseconds)}`],
      ["owner", owner],
      ["key", key],
      ["submitted", moment(createdAt)],
      ["changed", updatedAt === createdAt ? null : moment(updatedAt)],
    ]),
    metadata !== null && h("details", null, h("summary", null, "Metadata"), json(metadata)),
  ];
}

/** How long the latest runs took, in ms. @param {string} key @param {AbortSignal} signal */
async function runTimes(key, signal) {
  /** @type {number[]} */
  const found = [];
  for (let after = null, more = true; more && found.length < MOST_TIMES;) {
    /** @type {{nodes: any[], pageInfo: {endCursor: string, hasNextPage: boolean}}} */
    const { nodes, pageInfo } = (await ask(TIMES, { key, after }, signal)).job.results;
    found.push(...nodes.filter((each) => each.error === null).map((each) => each.elapsedMilliseconds));
    after = pageInfo.endCursor;
    more = pageInfo.hasNextPage;
  }
  return found;
}

/** @param {string} key @param {string} state @param {AbortSignal} signal @param {import("./main.js").Visit["go"]} go */
function variableTable(key, state, signal, go) {
  const body = h("tbody");
  const options = STATES.map((each) => h("option", { value: each, selected: each === state }, `${named(each)} only`));
  const choice = h("select", null, h("option", { value: "" }, "failures first"), options);
  choice.addEventListener("change", () => {
    go({ state: choice.value || null });
    turner.start();
    read();
  });
  /** @type {Map<string, HTMLElement>} */
  const opened = new Map();
  /** @type {Map<string, HTMLElement>} */
  const buttons = new Map();

  const page = async (/** @type {string | null} */ only, /** @type {string | null} */ after) =>
    (await ask(VARIABLES, { key, first: PAGE, after, state: only }, signal)).job.variables;

  const read = async () => {
    const listed = await page(choice.value || null, turner.after);
    const failed = choice.value || turner.after ? [] : (await page(FAILED, null)).nodes;
    const first = new Set(failed.map((/** @type {any} */ variable) => variable.key));
    const rest = listed.nodes.filter((/** @type {any} */ variable) => !first.has(variable.key));
    put(body, [...failed, ...rest].flatMap(rows));
    if (!body.rows.length) put(body, h("tr", null, h("td", { colspan: 4, class: "empty" }, "There are none.")));
    turner.show(listed.pageInfo);
  };
  const turner = pager(read);

  /** @param {any} variable */
  const rows = (variable) => {
    const details = opened.get(variable.key) ?? null;
    const outcome = variable.reason ?? (variable.canonicalResult ? brief(variable.canonicalResult.value, 160) : "");
    const toggle = async () => {
      const cell = h("div", { class: "results" }, "...");
      const closes = opened.delete(variable.key);
      if (!closes) opened.set(variable.key, cell);
      await read();
      buttons.get(variable.key)?.focus();
      if (!closes) put(cell, await reported(key, variable, signal));
    };
    const button = h(
      "button",
      { type: "button", class: "link", "aria-expanded": String(Boolean(details)), onclick: toggle },
      variable.key,
    );
    buttons.set(variable.key, button);
    const row = h(
      "tr",
      null,
      h("td", null, button),
      h("td", { class: "value" }, brief(variable.value, 120)),
      h("td", null, badge(variable.state)),
      h("td", { class: "value" }, outcome),
    );
    return details ? [row, h("tr", { class: "more" }, h("td", { colspan: 4 }, details))] : [row];
  };
  const heads = ["variable", "value", "state", "result or reason"];
  return {
    element: h(
      "div",
      null,
      h("div", { class: "filters" }, field("show", choice)),
      table(heads, body, "Variables"),
      turner.element,
    ),
    read,
  };
}

/** @param {string} key @param {any} variable @param {AbortSignal} signal */
async function reported(key, variable, signal) {
  const { results, tasks } = (await ask(RESULTS, { key, id: variable.key }, signal)).variable;
  const failures = (/** @type {any} */ result) => (result.verdict === Verdict.INVALID ? 0 : 1);
  const sorted = [...results.nodes].sort((a, b) => failures(a) - failures(b));
  const open = tasks.filter(
    (/** @type {any} */ task) => task.state === TaskState.READY || task.state === TaskState.LEASED,
  ).length;
  return [
    h(
      "p",
      { class: "soft" },
      `posted ${ago(variable.createdAt)}; ${counted(results.nodes.length, "result")}, ${counted(open, "open task")}`,
    ),
    h("details", null, h("summary", null, "Value"), json(variable.value)),
    sorted.map(resultDetails),
    results.pageInfo.hasNextPage && h("p", { class: "soft" }, "The first 20 results are shown."),
  ];
}
