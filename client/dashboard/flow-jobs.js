/** A flow's jobs as a table, those that failed first. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { FlowNodeState } from "../src/schema.js";
import { ago, brief, span } from "../shared/words.js";
import { runsOf } from "./flow-panel.js";
import { field, pager, table } from "./parts.js";
import { NODE_STATES, badge, named } from "./states.js";

const JOBS = `query ($key: String!, $after: String, $state: FlowNodeState) {
  flow(key: $key) {
    nodes(first: 50, after: $after, state: $state) {
      pageInfo { hasNextPage endCursor }
      nodes { number jobKey variableKey as state reason iteration result startedAt finishedAt }
    }
  }
}`;

/** @param {string} key @param {AbortSignal} signal @param {(job: number) => void} open */
export function jobTable(key, signal, open) {
  const body = h("tbody");
  const options = [...NODE_STATES].reverse().map((state) => h("option", { value: state }, `${named(state)} only`));
  const state = h(
    "select",
    { onchange: () => (turner.start(), read()) },
    h("option", { value: "" }, "failures first"),
    options,
  );

  const page = async (/** @type {string | null} */ only) =>
    (await ask(JOBS, { key, after: turner.after, state: only }, signal)).flow.nodes;

  const read = async () => {
    const listed = await page(state.value || null);
    const failed = state.value || turner.after ? [] : (await page(FlowNodeState.FAILED)).nodes;
    const first = new Set(failed.map((/** @type {any} */ job) => job.number));
    const rest = listed.nodes.filter((/** @type {any} */ job) => !first.has(job.number));
    put(
      body,
      [...failed, ...rest].map((job) => row(job, open)),
    );
    if (!body.rows.length) {
      put(body, h("tr", null, h("td", { colspan: 6, class: "empty" }, "No job is in this state.")));
    }
    turner.show(listed.pageInfo);
  };
  const turner = pager(() => read());
  const heads = ["job", "runs", "as", "state", "took", "result or reason"];
  const element = h(
    "div",
    { class: "card" },
    h("div", { class: "filters" }, field("show", state)),
    table(heads, body, "Jobs of the flow"),
    turner.element,
  );
  read().catch((problem) => {
    if (!signal.aborted) put(body, h("tr", null, h("td", { colspan: 6, role: "alert" }, problem.message)));
  });
  return element;
}

/** @param {any} job @param {(job: number) => void} open */
function row(job, open) {
  const took =
    job.startedAt && job.finishedAt
      ? span(Date.parse(job.finishedAt) - Date.parse(job.startedAt))
      : job.startedAt
        ? `since ${ago(job.startedAt)}`
        : "";
  return h(
    "tr",
    null,
    h(
      "td",
      null,
      h("button", { type: "button", class: "link", onclick: () => open(job.number) }, `${job.number}: ${job.jobKey}`),
    ),
    h("td", null, runsOf(job)),
    h("td", null, job.as),
    h("td", null, badge(job.state)),
    h("td", null, took),
    h("td", { class: "value" }, job.reason ?? (job.result === null ? "" : brief(job.result, 120))),
  );
}
