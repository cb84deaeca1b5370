/** One flow: its tree and timeline as pictures, what it waits for, and every job in a panel beside them. */

import { h, put } from "../shared/dom.js";
import { PoolAway, ask } from "../shared/graphql.js";
import { ENDED_FLOW_STATES } from "../src/schema.js";
import { CriticalPath } from "./critical-path.js";
import { FlowModel, nameOf } from "./flow-model.js";
import { jobPanel, levelPanel } from "./flow-panel.js";
import { jobTable } from "./flow-jobs.js";
import { FlowSteps } from "./flow-steps.js";
import { FlowSummary } from "./flow-summary.js";
import { REREAD_MS, REREAD_SHARE, follow, livenessLine, pause } from "./live.js";
import { tabs } from "./parts.js";
import { NODE_STATES, badge } from "./states.js";
import { TimelinePicture } from "./timeline-picture.js";
import { TreePicture } from "./tree-picture.js";

const HEADER = `key name owner state reason result onFailure generation jobCount levelCount createdAt finishedAt
  whyWaiting { kind message }`;
const PROGRESS = `total fraction throughput etaSeconds
  byState { completed skipped running queued waiting cancelled failed }`;
const DELTAS = `subscription ($id: ID!, $after: String) {
  flowProgress(id: $id, after: $after) {
    cursor state generation reset
    progress { ${PROGRESS} }
    changed { number state iteration startedAt finishedAt }
    flow { ${HEADER} }
  }
}`;
const NOW = `query ($key: String!) { flow(key: $key) { ${HEADER} progress { ${PROGRESS} } } }`;
const TREE = "query ($key: String!) { flow(key: $key) { tree } }";

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function flowPage(main, visit) {
  const page = new FlowPage(visit);
  put(main, page.element);
  try {
    await page.run();
  } finally {
    page.close();
  }
}

class FlowPage {
  /** @param {import("./main.js").Visit} visit */
  constructor({ path, query, signal, go }) {
    this.key = path[0];
    this.signal = signal;
    this.go = go;
    this.query = query;
    this.cursor = "";
    /** @type {FlowModel | null} */
    this.model = null;
    /** @type {any} */
    this.flow = null;
    /** @type {TreePicture | TimelinePicture | null} */
    this.picture = null;
    /** @type {AbortController | null} */
    this.panelOpen = null;
    this.critical = new Set();
    this.stale = true;
    /** What changed since the tree that is being read was asked for. @type {any[] | null} */
    this.since = null;
    this.again = () => {};
    const { line, status } = livenessLine();
    this.status = status;
    this.summary = new FlowSummary();
    this.steps = new FlowSteps(this.key, signal, () => this.again());
    this.path = new CriticalPath(this.key, (levels) => this.mark(levels));
    this.panel = h("aside", { class: "card panel", "aria-label": "Details", hidden: true });
    this.views = h("div", { class: "views" });
    const { summary } = this;
    this.element = h(
      "article",
      null,
      h("p", { class: "crumbs" }, h("a", { href: "#/flows" }, "Flows")),
      h("div", { class: "head" }, summary.title, summary.state, line),
      summary.about,
      this.steps.element,
      this.steps.note,
      h(
        "section",
        { class: "card" },
        summary.bar,
        summary.counts,
        summary.speed,
        summary.waits,
        this.path.element,
        summary.result,
      ),
      h("div", { class: "beside" }, this.views, this.panel),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.panel.hidden) this.shut();
    });
  }

  async run() {
    await Promise.all([this.keepFlow(), this.keepTree(), this.path.keep(() => this.flow?.state, this.signal)]);
  }

  /** Follow the flow's deltas, and again once it is retried after its end. */
  async keepFlow() {
    for (;;) {
      await follow({
        subscription: DELTAS,
        variables: () => ({ id: this.key, after: this.cursor || null }),
        poll: () => this.poll(),
        tell: ({ flowProgress }) => this.take(flowProgress),
        status: this.status,
        signal: this.signal,
      });
      if (this.signal.aborted) return;
      await new Promise((resolve) => {
        this.again = () => resolve(null);
        this.signal.addEventListener("abort", this.again, { once: true });
      });
      this.cursor = "";
    }
  }

  /** What the subscription would say, as far as one read can. */
  async poll() {
    const { flow } = await ask(NOW, { key: this.key }, this.signal);
    const { progress, state, generation } = flow;
    const stamp = JSON.stringify([progress.byState, state, generation]);
    const reset = stamp !== this.stamp;
    this.stamp = stamp;
    return { flowProgress: { cursor: this.cursor, state, generation, progress, changed: [], reset, flow } };
  }

  /** @param {any} delta */
  take(delta) {
    this.cursor = delta.cursor;
    this.flow = delta.flow;
    this.summary.draw(delta);
    this.steps.offer(delta.state);
    if (ENDED_FLOW_STATES.has(delta.state)) this.path.clear();
    if (delta.reset) this.stale = true;
    this.since?.push(...delta.changed);
    if (!delta.reset && this.model) {
      this.model.apply(delta.changed);
      this.picture?.draw();
      this.picture?.tell();
    }
  }

  /** Read the whole tree whenever deltas don't tell all, and not more often than the pool can well answer. */
  async keepTree() {
    while (!this.signal.aborted) {
      if (this.stale && this.flow) {
        this.stale = false;
        this.since = [];
        const began = performance.now();
        try {
          const { flow } = await ask(TREE, { key: this.key }, this.signal);
          this.model = new FlowModel(flow.tree, this.model);
          this.model.apply(this.since);
          this.since = null;
          this.showModel();
        } catch (problem) {
          if (this.signal.aborted) return;
          if (!(problem instanceof PoolAway)) throw problem;
          this.stale = true;
        }
        await pause(Math.max(REREAD_MS, REREAD_SHARE * (performance.now() - began)), this.signal);
      }
      await pause(60, this.signal);
    }
  }

  showModel() {
    const { model } = this;
    if (!model) return;
    if (this.picture) this.picture.show(model);
    if (!this.views.hasChildNodes()) {
      const views = [
        { name: "tree", title: "Tree", show: () => this.show(TreePicture, "The flow's tree") },
        { name: "timeline", title: "Timeline", show: () => this.show(TimelinePicture, "The flow's timeline") },
        { name: "jobs", title: "Jobs", show: () => this.showJobs() },
      ];
      const changed = (/** @type {string} */ view) => this.go({ view: view === "tree" ? null : view });
      put(this.views, tabs("view", views, this.query.get("view") ?? "tree", changed).element);
      const asked = this.query.get("job");
      const job = asked === null ? undefined : model.jobs.get(Number(asked));
      if (job) this.open({ level: job.level, job });
    }
  }

  /** @param {typeof TreePicture | typeof TimelinePicture} Kind @param {string} label */
  show(Kind, label) {
    const model = /** @type {FlowModel} */ (this.model);
    this.picture?.close();
    this.picture = new Kind(model, label, (item) => this.open(item));
    this.picture.critical = this.critical;
    const { picture } = this;
    const fold = (/** @type {boolean} */ open) => () => (this.model?.openAll(open), picture.layOut());
    const isTree = Kind === TreePicture;
    return h(
      "div",
      { class: "card" },
      h(
        "div",
        { class: "legend" },
        h(
          "span",
          { class: "soft" },
          isTree ? "The root runs last; what is further in runs before it." : "From when its turn came to its end.",
        ),
        h(
          "span",
          { class: "legend-states" },
          NODE_STATES.map((state) => badge(state)),
        ),
        h("button", { type: "button", onclick: fold(true) }, "Open all"),
        h("button", { type: "button", onclick: fold(false) }, "Close all"),
      ),
      picture.element,
    );
  }

  showJobs() {
    this.picture?.close();
    this.picture = null;
    return jobTable(this.key, this.signal, (job) =>
      this.open({ level: this.model?.jobs.get(job)?.level ?? null, job: { number: job } }),
    );
  }

  /** @param {Set<number>} critical The levels on the critical path. */
  mark(critical) {
    this.critical = critical;
    if (!this.picture) return;
    this.picture.critical = critical;
    this.picture.draw();
  }

  /** @param {{level: any, job: any}} item */
  open({ level, job }) {
    this.panelOpen?.abort();
    this.panelOpen = new AbortController();
    const signal = AbortSignal.any([this.signal, this.panelOpen.signal]);
    this.panel.hidden = false;
    this.go({ job: job ? String(job.number) : null });
    const shut = h(
      "button",
      { type: "button", class: "shut", "aria-label": "Close the details", onclick: () => this.shut() },
      "\u00d7",
    );
    const heading = h("h2", { tabindex: -1 }, job ? `Job ${job.number}` : nameOf(level));
    const body = h("div");
    put(this.panel, shut, heading, body);
    heading.focus({ preventScroll: innerWidth > 900 });
    const shown = job ? jobPanel(this.key, job.number, body, signal) : levelPanel(this.key, level.number, body, signal);
    shown.catch((problem) => {
      if (!signal.aborted) put(body, h("p", { role: "alert" }, String(problem.message)));
    });
  }

  shut() {
    this.panelOpen?.abort();
    this.panel.hidden = true;
    this.go({ job: null });
    if (this.picture) this.picture.element.focus();
  }

  close() {
    this.panelOpen?.abort();
    this.picture?.close();
  }
}
