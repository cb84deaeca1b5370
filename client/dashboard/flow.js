/** One flow: its tree and timeline as pictures, what it waits for, and every job in a panel beside them. */

import { h, put, say } from "../shared/dom.js";
import { PoolAway, PoolError, ask } from "../shared/graphql.js";
import { ENDED_FLOW_STATES, FlowState } from "../src/schema.js";
import { capital, counted, moment, number, span } from "../shared/words.js";
import { FlowModel, nameOf } from "./flow-model.js";
import { upper } from "./flows.js";
import { jobPanel, levelPanel } from "./flow-panel.js";
import { jobTable } from "./flow-jobs.js";
import { follow, livenessLine, pause } from "./live.js";
import { confirmed, json, tabs } from "./parts.js";
import { NODE_STATES, badge, stateBar, stateCounts } from "./states.js";
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
const PATH = `query ($key: String!) { flow(key: $key) {
  criticalPath { seconds levels { number jobCount progress { fraction } } }
} }`;

/** @type {Record<string, {mutation: string, from: string[]}>} */
const STEPS = {
  pause: { mutation: "pauseFlow", from: [FlowState.RUNNING] },
  resume: { mutation: "resumeFlow", from: [FlowState.PAUSED] },
  retry: { mutation: "retryFlow", from: [FlowState.FAILED, FlowState.CANCELLED] },
  cancel: { mutation: "cancelFlow", from: [FlowState.RUNNING, FlowState.PAUSED] },
};

/** So long it waits (ms), and so many times as long as it took, before it reads a whole tree or path again. */
const REREAD_MS = 1500;
const REREAD_SHARE = 5;
const MOST_PATH_LEVELS = 12;

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
    this.title = h("h1", null, "Flow");
    this.state = h("span");
    this.about = h("p", { class: "soft about" });
    this.bar = h("div", { class: "wide-bar" });
    this.counts = h("p", { class: "counts" });
    this.speed = h("p", { class: "soft" });
    this.waits = h("ul", { class: "waits" });
    this.path = h("div", { class: "path" });
    this.result = h("div");
    this.note = h("p", { class: "note", role: "status" });
    this.panel = h("aside", { class: "card panel", "aria-label": "Details", hidden: true });
    this.buttons = Object.entries(STEPS).map(([verb, step]) => ({
      ...step,
      button: h(
        "button",
        { type: "button", hidden: true, onclick: () => this.steer(verb, step.mutation) },
        capital(verb),
      ),
    }));
    this.views = h("div", { class: "views" });
    this.element = h(
      "article",
      null,
      h("p", { class: "crumbs" }, h("a", { href: "#/flows" }, "Flows")),
      h("div", { class: "head" }, this.title, this.state, line),
      this.about,
      h(
        "div",
        { class: "actions" },
        this.buttons.map((step) => step.button),
      ),
      this.note,
      h("section", { class: "card" }, this.bar, this.counts, this.speed, this.waits, this.path, this.result),
      h("div", { class: "beside" }, this.views, this.panel),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.panel.hidden) this.shut();
    });
  }

  async run() {
    await Promise.all([this.keepFlow(), this.keepTree(), this.keepPath()]);
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
    this.drawHead(delta);
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

  /** @param {any} delta */
  drawHead({ flow, progress, state, generation }) {
    const name = flow.name || `Flow ${flow.key.slice(0, 8)}`;
    document.title = `${name} - comp-pool`;
    say(this.title, name);
    if (this.state.textContent !== badge(state).textContent) put(this.state, badge(state));
    const ended = flow.finishedAt ? `, ended ${moment(flow.finishedAt)}` : "";
    const owner = flow.owner ? `of ${flow.owner}, ` : "";
    const retried = generation ? `, retried ${counted(generation, "time")}` : "";
    say(
      this.about,
      `${owner}${counted(flow.jobCount, "job")} in ${counted(flow.levelCount, "level")}, submitted ${moment(flow.createdAt)}${ended}${retried}`,
    );
    const counts = upper(progress.byState);
    put(this.bar, stateBar(counts, "Progress: "));
    put(
      this.counts,
      h("strong", null, `${(100 * progress.fraction).toFixed(progress.fraction < 1 ? 1 : 0)} %`),
      stateCounts(counts),
    );
    const eta =
      progress.etaSeconds && state === FlowState.RUNNING
        ? `; about ${span(1000 * progress.etaSeconds)} left at this rate`
        : "";
    say(this.speed, `${counted(progress.total, "run")}, ${number(progress.throughput)} a second${eta}`);
    const reasons = flow.whyWaiting.map((/** @type {any} */ reason) => h("li", null, reason.message));
    put(this.waits, flow.reason ? h("li", { class: "broken" }, flow.reason) : null, reasons);
    for (const { from, button } of this.buttons) button.hidden = !from.includes(state);
    if (flow.result !== null && !this.result.hasChildNodes()) {
      put(this.result, h("details", { open: true }, h("summary", null, "Result"), json(flow.result)));
    }
    if (flow.result === null) put(this.result);
    if (ENDED_FLOW_STATES.has(state)) this.drawPath({ seconds: null, levels: [] });
  }

  /** Keep the critical path up to date: it changes slowly, and costs more than a delta. */
  async keepPath() {
    while (!this.signal.aborted) {
      const began = performance.now();
      try {
        if (this.flow && !ENDED_FLOW_STATES.has(this.flow.state)) {
          const { flow } = await ask(PATH, { key: this.key }, this.signal);
          if (!ENDED_FLOW_STATES.has(this.flow.state)) this.drawPath(flow.criticalPath);
        }
      } catch (problem) {
        if (!(this.signal.aborted || problem instanceof PoolError)) throw problem;
      }
      await pause(this.flow ? Math.max(2 * REREAD_MS, REREAD_SHARE * (performance.now() - began)) : 100, this.signal);
    }
  }

  /** @param {{seconds: number | null, levels: any[]}} path */
  drawPath({ seconds, levels }) {
    this.critical = new Set(levels.map((level) => level.number));
    if (this.picture) {
      this.picture.critical = this.critical;
      this.picture.draw();
    }
    if (!levels.length) return put(this.path);
    const shown = levels.slice(0, MOST_PATH_LEVELS);
    const lasts = seconds === null ? "" : `, about ${span(1000 * seconds)}`;
    put(
      this.path,
      h(
        "p",
        null,
        h("strong", null, `Critical path${lasts}`),
        h("span", { class: "soft" }, " \u2605 the chain of levels that decides when it ends"),
      ),
      h(
        "ol",
        null,
        shown.map((level) =>
          h(
            "li",
            null,
            `${level.number ? `Level ${level.number}` : "Root level"}: ${counted(level.jobCount, "job")}, ${Math.floor(100 * level.progress.fraction)} %`,
          ),
        ),
        levels.length > shown.length && h("li", null, `and ${counted(levels.length - shown.length, "more level")}`),
      ),
    );
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

  /** @param {string} verb @param {string} mutation */
  async steer(verb, mutation) {
    if (verb === "cancel" && !(await confirmed("Cancel this flow?", "What it completed stays."))) return;
    const text = `mutation ($flow: String!) { ${mutation}(input: {flow: $flow}) { userErrors { message } } }`;
    try {
      const { [mutation]: answer } = await ask(text, { flow: this.key }, this.signal);
      say(this.note, answer.userErrors.map((/** @type {any} */ error) => error.message).join("; "));
    } catch (problem) {
      if (!(problem instanceof PoolError)) throw problem;
      say(this.note, problem.message);
    }
    this.again();
  }

  close() {
    this.panelOpen?.abort();
    this.picture?.close();
  }
}
