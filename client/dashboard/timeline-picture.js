/** When a flow's levels and jobs began and ended, on one axis of time. */

import { span } from "../shared/words.js";
import { nameOf, stateOf } from "./flow-model.js";
import { HEAD, Picture } from "./picture.js";
import { look } from "./states.js";

const AXIS = 26;
const JOB = 18;
const PADDING = 10;
const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 18e5, 36e5, 216e5, 864e5, 6048e5,
];

/** @typedef {import("./flow-model.js").Level} Level */

export class TimelinePicture extends Picture {
  /** From when to when it shows, in ms. @type {{start: number, end: number} | null} */
  time = null;
  /** How wide the names are, in px. */
  names = 0;

  /** @param {Level[]} shown @returns {import("./picture.js").Row[]} */
  arrange(shown) {
    this.names = Math.min(230, this.width * 0.38);
    const rows = [];
    let y = AXIS + 2;
    for (const level of shown) {
      rows.push({ y, height: HEAD, level, from: -1, to: -1 });
      y += HEAD;
      if (!level.open) continue;
      for (let from = 0; from < level.jobs.length; from += 1) {
        rows.push({ y, height: JOB, level, from, to: from + 1 });
        y += JOB;
      }
    }
    return rows;
  }

  frameTop() {
    return AXIS + 2;
  }

  paintAll() {
    const { start, end } = this.model.times();
    const until = [...this.model.jobs.values()].some((job) => job.start && !job.end) ? Date.now() : end;
    this.time = start === Infinity ? null : { start, end: Math.max(until, start + 1) };
    super.paintAll();
  }

  /** @param {number} when */
  x(when) {
    const { start, end } = /** @type {{start: number, end: number}} */ (this.time);
    return this.names + ((this.width - this.names - PADDING) * (when - start)) / (end - start);
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paint(row, y) {
    if (row.from < 0) this.paintLevel(row, y);
    else this.paintJob(row, y);
    if (this.isActive(row)) this.paintActive(2, y, this.width - 4, row.height);
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paintLevel(row, y) {
    const { level } = row;
    const left = PADDING + Math.min(level.depth * 10, this.names * 0.4);
    this.paintShape(stateOf(level), left, y + HEAD / 2 - 6, 12);
    const path = this.critical.has(level.number) ? " \u2605" : "";
    this.paintText(
      `${level.open ? "\u25be" : "\u25b8"} ${nameOf(level)}${path}`,
      left + 18,
      y + HEAD / 2,
      this.names - left - 26,
      "--text",
      "bold 13px",
    );
    if (this.time) this.paintLoad(level, y + 4, HEAD - 8);
  }

  /** How many of a level's jobs had begun and not ended, over time. @param {Level} level @param {number} y @param {number} height */
  paintLoad(level, y, height) {
    const { context } = this;
    const { start, end } = /** @type {{start: number, end: number}} */ (this.time);
    const columns = Math.max(1, Math.ceil(this.width - this.names - PADDING));
    const changes = new Int32Array(columns + 2);
    const column = (/** @type {number} */ when) => Math.floor(((columns - 1) * (when - start)) / (end - start));
    for (const job of level.jobs) {
      if (!job.start) continue;
      changes[column(job.start)] += 1;
      changes[column(job.end || end) + 1] -= 1;
    }
    context.fillStyle = this.colours[look(stateOf(level)).colour];
    let under = 0;
    for (let at = 0; at < columns; at += 1) {
      under += changes[at];
      const tall = under ? Math.max(1, (height * under) / level.jobs.length) : 0;
      context.fillRect(this.names + at, y + height - tall, 1, tall);
    }
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paintJob(row, y) {
    const job = row.level.jobs[row.from];
    const left = PADDING + 18 + Math.min(row.level.depth * 10, this.names * 0.4);
    this.paintShape(job.state, left, y + 3, 12);
    this.paintText(job.as, left + 18, y + JOB / 2, this.names - left - 26, "--text", "12px");
    if (!this.time || !job.start) return;
    const from = this.x(job.start);
    this.context.fillStyle = this.colours[look(job.state).colour];
    this.context.fillRect(from, y + 4, Math.max(2, this.x(job.end || this.time.end) - from), JOB - 8);
  }

  paintFrame() {
    const { context, colours, width, height } = this;
    context.fillStyle = colours["--card"];
    context.fillRect(0, 0, width, AXIS);
    context.fillStyle = colours["--line"];
    context.fillRect(0, AXIS - 1, width, 1);
    if (!this.time) {
      this.paintText("Nothing has begun yet.", PADDING, AXIS / 2, width, "--soft", "12px");
      return;
    }
    const lasted = this.time.end - this.time.start;
    const most = Math.max(2, Math.floor((width - this.names) / 90));
    const step = STEPS_MS.find((each) => lasted / each <= most) ?? lasted / most;
    for (let at = 0; at <= lasted; at += step) {
      const x = this.x(this.time.start + at);
      context.fillStyle = colours["--line"];
      context.fillRect(x, 0, 1, height);
      if (x < width - 50) this.paintText(at ? `+ ${span(at)}` : "start", x + 4, AXIS / 2, 86, "--soft", "12px");
    }
  }
}
