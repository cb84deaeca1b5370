/**
 * A picture of any length of which only what is visible is drawn: a canvas as large as its window stays in place while
 * an empty block of the picture's whole height is scrolled under it.
 *
 * To a screen reader it is a tree (https://www.w3.org/WAI/ARIA/apg/patterns/treeview/) whose active item alone is there.
 *
 * @typedef {import("./flow-model.js").Level} Level
 * @typedef {import("./flow-model.js").Job} Job
 * @typedef {{level: Level, job: Job | null}} Item
 * @typedef {{y: number, height: number, level: Level, from: number, to: number}} Row A level's head where `from` is -1;
 *   else its jobs from `from` to before `to`.
 */

import { h, put, say } from "../shared/dom.js";
import { wordsOf } from "./item-words.js";
import { Surface } from "./surface.js";

export const HEAD = 30;
export class Picture extends Surface {
  /**
   * @param {import("./flow-model.js").FlowModel} model
   * @param {string} label
   * @param {(item: Item) => void} chosen Told when an item is clicked or Enter is pressed on it.
   */
  constructor(model, label, chosen) {
    super();
    this.model = model;
    this.chosen = chosen;
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Item} */
    this.item = { level: model.levels[0], job: null };
    /** Levels on the critical path. @type {Set<number>} */
    this.critical = new Set();
    this.length = h("div", { class: "length", role: "presentation" }, this.canvas);
    this.active = h("div", { role: "treeitem", id: `item-${(made += 1)}`, class: "unseen" });
    this.element = h(
      "div",
      {
        class: "picture",
        role: "tree",
        tabindex: 0,
        "aria-label": label,
        "aria-activedescendant": this.active.id,
        onscroll: () => this.draw(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event),
        onclick: (/** @type {MouseEvent} */ event) => this.click(event),
        onmousemove: (/** @type {MouseEvent} */ event) => this.point(event),
        onfocus: () => this.draw(),
        onblur: () => this.draw(),
      },
      this.active,
      this.length,
    );
    this.waits = false;
    this.painted = false;
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.element);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", () => this.resize());
    this.tell();
  }

  /** The rows of the picture at its present width. @param {Level[]} _shown @returns {Row[]} */
  arrange(_shown) {
    return [];
  }

  /** Draw one row at a place of the window. @param {Row} _row @param {number} _y */
  paint(_row, _y) {}

  /** Draw what is there whatever is scrolled. */
  paintFrame() {}

  /** What is at a place of a row. @param {Row} row @param {number} _x @returns {Item | null} */
  at(row, _x) {
    return { level: row.level, job: row.from < 0 ? null : row.level.jobs[row.from] };
  }

  /** Take in another state of the flow. @param {import("./flow-model.js").FlowModel} model */
  show(model) {
    const { level, job } = this.item;
    this.model = model;
    const again = model.levels.find((each) => each.number === level.number) ?? model.levels[0];
    this.item = { level: again, job: (job && model.jobs.get(job.number)) ?? null };
    this.layOut();
  }

  /** Levels were opened or closed, or there is another width. */
  layOut() {
    this.rows = this.arrange(this.model.shown());
    const last = this.rows[this.rows.length - 1];
    this.length.style.height = `${last ? last.y + last.height : 0}px`;
    this.draw();
    this.tell();
  }

  /** Draw at the next frame, once however often it is asked. */
  draw() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.paintAll();
    });
  }

  resize() {
    if (!this.element.clientWidth) return;
    this.fit(this.element);
    this.layOut();
  }

  paintAll() {
    if (!this.width) return;
    this.wipe();
    const top = this.element.scrollTop;
    for (let at = this.rowAt(top); at < this.rows.length && this.rows[at].y < top + this.height; at += 1) {
      this.paint(this.rows[at], this.rows[at].y - top);
    }
    this.paintFrame();
    if (!this.painted) performance.mark("first-picture");
    this.painted = true;
  }

  /** A frame around the active item. @param {number} x @param {number} y @param {number} width @param {number} height */
  paintActive(x, y, width, height) {
    const { context } = this;
    context.strokeStyle = this.colours["--accent"];
    context.lineWidth = document.activeElement === this.element ? 2.5 : 1.25;
    context.strokeRect(x + 1, y + 1, width - 2, height - 2);
  }

  /** @param {Row} row */
  isActive(row) {
    const { level, job } = this.item;
    if (row.level !== level) return false;
    if (!job) return row.from < 0;
    return job.at >= row.from && job.at < row.to;
  }

  /** The first row that ends behind a place. @param {number} y */
  rowAt(y) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].y + this.rows[middle].height <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {MouseEvent} event @returns {Item | null} */
  under(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const row = this.rows[this.rowAt(event.clientY - top + this.element.scrollTop)];
    return row ? this.at(row, event.clientX - left) : null;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const item = this.under(event);
    if (!item) return;
    this.choose(item);
    if (item.job) this.chosen(item);
    else this.toggle(item.level);
  }

  /** @param {MouseEvent} event */
  point(event) {
    const item = this.under(event);
    this.element.style.cursor = item ? "pointer" : "default";
    const title = item ? wordsOf(item) : "";
    if (this.element.title !== title) this.element.title = title;
  }

  /** @param {Level} level */
  toggle(level, open = !level.open) {
    level.open = open;
    this.layOut();
  }

  /** @param {Item} item */
  choose(item) {
    this.item = item;
    this.tell();
    const row = this.rows.find((each) => this.isActive(each));
    if (row) {
      const { scrollTop } = this.element;
      const from = row.y - this.frameTop();
      if (from < scrollTop) this.element.scrollTop = from;
      else if (row.y + row.height > scrollTop + this.height) this.element.scrollTop = row.y + row.height - this.height;
    }
    this.draw();
  }

  /** How much of the top is covered by a frame, in px. */
  frameTop() {
    return 0;
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const to = this.destination(event.key);
    if (to) this.choose(to);
    else if (event.key === "Enter" || event.key === " ") this.chosen(this.item);
    else return;
    event.preventDefault();
  }

  /** Where a key leads. @param {string} key @returns {Item | null} */
  destination(key) {
    const { level, job } = this.item;
    const row = this.rows.findIndex((each) => this.isActive(each));
    const shown = this.rows.filter((each) => each.from < 0).map((each) => each.level);
    if (key === "Home") return { level: shown[0], job: null };
    if (key === "End") return { level: shown[shown.length - 1], job: null };
    if (key === "ArrowDown" || key === "ArrowUp") {
      const next = this.rows[row + (key === "ArrowDown" ? 1 : -1)];
      return next ? this.below(next) : this.item;
    }
    if (key === "ArrowRight") {
      if (job) return { level, job: level.jobs[Math.min(level.jobs.length - 1, job.at + 1)] };
      if (!level.open) this.toggle(level, true);
      else if (level.jobs.length) return { level, job: level.jobs[0] };
      return this.item;
    }
    if (key === "ArrowLeft") {
      if (job) return { level, job: job.at > 0 ? level.jobs[job.at - 1] : null };
      if (level.open) this.toggle(level, false);
      else if (level.parent) return { level: level.parent, job: null };
      return this.item;
    }
    return null;
  }

  /** The item of a row in the column of the active one. @param {Row} row @returns {Item} */
  below(row) {
    if (row.from < 0) return { level: row.level, job: null };
    const { job } = this.item;
    const own = this.rows.find((each) => this.isActive(each));
    const column = job && own ? job.at - own.from : 0;
    return { level: row.level, job: row.level.jobs[Math.min(row.to - 1, row.from + column)] };
  }

  /** Tell a screen reader of the active item. */
  tell() {
    const { level, job } = this.item;
    say(this.active, wordsOf(this.item));
    this.active.setAttribute("aria-level", String(level.depth + (job ? 2 : 1)));
    this.active.setAttribute("aria-selected", "true");
    if (job) this.active.removeAttribute("aria-expanded");
    else this.active.setAttribute("aria-expanded", String(level.open));
  }

  /** Let go of what it listens to. */
  close() {
    this.sizes.disconnect();
    put(this.element);
  }
}

let made = 0;
