/** The list of jobs. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { ago, counted, span } from "../shared/words.js";
import { upper } from "./flows.js";
import { keepReading, livenessLine } from "./live.js";
import { field, pager, table } from "./parts.js";
import { badge, stateBar } from "./states.js";

const JOBS = `query ($first: Int!, $after: String, $owner: String) {
  jobs(first: $first, after: $after, owner: $owner) {
    pageInfo { hasNextPage endCursor }
    nodes { key name owner state createdAt runMilliseconds schedulerProblem
      variableCounts { done open new cancelled failed } }
  }
}`;
const PAGE = 25;
const EVERY_MS = 3000;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function jobsPage(main, { query, signal, go }) {
  document.title = "Jobs - comp-pool";
  const { line, status } = livenessLine();
  const body = h("tbody");
  const owner = h("input", { type: "search", value: query.get("owner") ?? "", autocomplete: "off" });
  const read = async () => {
    const { jobs } = await ask(JOBS, { first: PAGE, after: turner.after, owner: owner.value.trim() || null }, signal);
    turner.show(jobs.pageInfo);
    draw(body, jobs.nodes);
  };
  const turner = pager(read);
  const change = (/** @type {Event} */ event) => {
    event.preventDefault();
    go({ owner: owner.value.trim() || null });
    turner.start();
    read();
  };
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Jobs"), line),
    h("form", { class: "filters", onsubmit: change, onchange: change }, field("owner", owner)),
    table(["job", "owner", "state", "variables", "one run takes", "submitted"], body, "Jobs"),
    turner.element,
  );
  await keepReading(read, status, signal, EVERY_MS);
}

/** @param {HTMLTableSectionElement} body @param {any[]} jobs */
function draw(body, jobs) {
  const stamp = JSON.stringify(jobs);
  if (body.dataset.stamp === stamp) return;
  body.dataset.stamp = stamp;
  const focused = body.contains(document.activeElement) && document.activeElement?.getAttribute("href");
  put(body, jobs.map(row));
  if (!jobs.length) {
    put(
      body,
      h(
        "tr",
        null,
        h(
          "td",
          { colspan: 6, class: "empty" },
          "There are no jobs. ",
          h("a", { href: "#/submit?kind=job" }, "Submit one."),
        ),
      ),
    );
  }
  if (focused) /** @type {HTMLElement | null} */ (body.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
}

/** @param {any} job */
function row(job) {
  const counts = upper(job.variableCounts);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return h(
    "tr",
    null,
    h(
      "td",
      null,
      h("a", { href: `#/jobs/${encodeURIComponent(job.key)}` }, job.name),
      h("span", { class: "soft mono" }, ` ${job.key}`),
    ),
    h("td", null, job.owner),
    h(
      "td",
      null,
      badge(job.state),
      job.schedulerProblem && h("span", { class: "broken" }, " its variableScheduler does not work"),
    ),
    h("td", null, stateBar(counts), h("span", { class: "soft" }, counted(total, "variable"))),
    h("td", null, job.runMilliseconds === null ? "" : span(job.runMilliseconds)),
    h("td", null, ago(job.createdAt)),
  );
}
