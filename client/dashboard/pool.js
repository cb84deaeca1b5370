/** The pool as a whole: how much there is to do and how fast it goes, as it changes. */

import { h, put, say } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { FlowNodeState, Verdict } from "../src/schema.js";
import { ago, counted, number, span } from "../shared/words.js";
import { lineChart } from "./charts.js";
import { follow, keepReading, livenessLine } from "./live.js";
import { pager, table } from "./parts.js";
import { badge, stateBar, stateCounts } from "./states.js";

const STATUS = `measuredAt resultsLastMinute resultsLastHour hosts activeHosts
  tasks { ready leased reported expired cancelled }
  verdictsLastHour { canonical valid pending inconclusive invalid tooLate }
  claims { scheduler tasks }`;
const ACTIVITY = `subscription ($after: String) { poolActivity(after: $after) { cursor ${STATUS} } }`;
const NOW = `query { pool { status { ${STATUS} } } }`;
const POOL = `query { pool { name defaultScheduler schedulers resultsByMinute } }`;
const HOSTS = `query ($first: Int!, $after: String) { hosts(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { key name valid invalid failed elapsedMilliseconds createdAt seenAt trusted }
} }`;
const PAGE = 20;
const SAMPLE_MS = 1000;
const MINUTE_MS = 60_000;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function poolPage(main, { signal }) {
  document.title = "Pool - comp-pool";
  const { pool } = await ask(POOL, {}, signal);
  const { line, status } = livenessLine();
  const charts = poolCharts(pool.resultsByMinute);
  const verdicts = h("div");
  const schedulers = schedulerCharts(pool);
  const words = h("p", { class: "soft" });
  const hosts = hostTable(signal);
  put(
    main,
    h("div", { class: "head" }, h("h1", null, pool.name), line),
    words,
    h("div", { class: "grid" }, charts.elements),
    h("section", { class: "card" }, h("h2", null, "Verdicts of the last hour"), verdicts),
    h(
      "section",
      null,
      h("h2", null, "Schedulers"),
      schedulers.note,
      h("div", { class: "grid small" }, schedulers.elements),
    ),
    h("section", { class: "card" }, h("h2", null, "Hosts"), hosts.element),
  );
  /** @type {any} */
  let now = null;
  const tell = (/** @type {any} */ { poolActivity }) => {
    // What did not change since the cursor is null, and there is no cursor of what was polled.
    now = { ...now, cursor: null, ...known(poolActivity) };
    const { tasks } = now;
    say(
      words,
      `${counted(tasks.ready, "task")} in the queue, ${number(tasks.leased)} being computed; ${counted(now.resultsLastHour, "result")} in the last hour; ${counted(now.hosts, "host")} ever came, ${number(now.activeHosts)} of them lately.`,
    );
    const counts = verdictCounts(now.verdictsLastHour);
    put(
      verdicts,
      h("div", { class: "wide-bar" }, stateBar(counts, "Verdicts of the last hour: ")),
      h("p", { class: "counts" }, stateCounts(counts)),
    );
  };
  // The pool tells of changes only; a chart goes on at the same pace whether there are any or not.
  const ticks = setInterval(() => {
    if (!now) return;
    charts.sample(now);
    schedulers.sample(now);
  }, SAMPLE_MS);
  const minutes = setInterval(
    async () => charts.minutes((await ask(POOL, {}, signal)).pool.resultsByMinute),
    MINUTE_MS,
  );
  signal.addEventListener("abort", () => (clearInterval(ticks), clearInterval(minutes)));
  hosts.keep();
  const poll = async () => ({ poolActivity: (await ask(NOW, {}, signal)).pool.status });
  await follow({
    subscription: ACTIVITY,
    variables: () => ({ after: now?.cursor ?? null }),
    poll,
    tell,
    status,
    signal,
  });
}

/** The fields that are told. @param {Record<string, unknown>} delta */
function known(delta) {
  return Object.fromEntries(Object.entries(delta).filter(([, value]) => value !== null));
}

/** @param {number[]} byMinute */
function poolCharts(byMinute) {
  const queue = lineChart("Tasks in the queue", { colour: FlowNodeState.QUEUED });
  const leased = lineChart("Tasks being computed", { colour: FlowNodeState.RUNNING });
  const rate = lineChart("Results in the last minute", { colour: FlowNodeState.COMPLETED });
  const hour = lineChart("Results by minute, last hour", { colour: FlowNodeState.COMPLETED, most: 60 });
  const active = lineChart("Active hosts", { colour: FlowNodeState.RUNNING });
  const refused = lineChart("Results turned down, last hour", { colour: FlowNodeState.FAILED });
  hour.set(byMinute);
  return {
    elements: [queue, leased, rate, hour, active, refused].map((chart) => chart.element),
    minutes: hour.set,
    /** @param {any} now */
    sample(now) {
      queue.add(now.tasks.ready);
      leased.add(now.tasks.leased);
      rate.add(now.resultsLastMinute);
      active.add(now.activeHosts);
      refused.add(now.verdictsLastHour.invalid);
    },
  };
}

/** @param {{schedulers: string[], defaultScheduler: string}} pool */
function schedulerCharts({ schedulers, defaultScheduler }) {
  const charts = new Map(
    schedulers.map((name) => [
      name,
      lineChart(name === defaultScheduler ? `${name} (default)` : name, { colour: FlowNodeState.QUEUED }),
    ]),
  );
  return {
    note: h("p", { class: "soft" }, "Tasks that each has handed out in the last minute."),
    elements: [...charts.values()].map((chart) => chart.element),
    /** @param {any} now */
    sample(now) {
      const claimed = new Map(now.claims.map((/** @type {any} */ each) => [each.scheduler, each.tasks]));
      for (const [name, chart] of charts) chart.add(claimed.get(name) ?? 0);
    },
  };
}

/** @param {Record<string, number>} verdicts */
function verdictCounts({ canonical, valid, pending, inconclusive, invalid, tooLate }) {
  return {
    CANONICAL: canonical,
    VALID: valid,
    PENDING: pending,
    TOO_LATE: tooLate,
    INCONCLUSIVE: inconclusive,
    INVALID: invalid,
  };
}

/** @param {AbortSignal} signal */
function hostTable(signal) {
  const body = h("tbody");
  const read = async () => {
    const { hosts } = await ask(HOSTS, { first: PAGE, after: turner.after }, signal);
    turner.show(hosts.pageInfo);
    put(body, hosts.nodes.map(hostRow));
    if (!body.rows.length) {
      put(body, h("tr", null, h("td", { colspan: 7, class: "empty" }, "No volunteer has come yet.")));
    }
  };
  const turner = pager(read);
  const heads = ["host", "credit", "outvoted", "failed", "computing time", "came", "last result"];
  return {
    element: h("div", null, table(heads, body, "Hosts"), turner.element),
    keep: () => keepReading(read, () => {}, signal, 5000),
  };
}

/** @param {any} host */
function hostRow(host) {
  return h(
    "tr",
    null,
    h(
      "td",
      null,
      host.name ?? "",
      h("span", { class: "soft mono" }, ` ${host.key}`),
      host.trusted && h("span", { class: "soft" }, ", trusted"),
    ),
    h("td", { class: "number" }, number(host.valid)),
    h(
      "td",
      { class: "number" },
      host.invalid ? badge(Verdict.INVALID) : "",
      host.invalid ? ` ${number(host.invalid)}` : "0",
    ),
    h("td", { class: "number" }, number(host.failed)),
    h("td", { class: "number" }, span(host.elapsedMilliseconds)),
    h("td", null, ago(host.createdAt)),
    h("td", null, ago(host.seenAt)),
  );
}
