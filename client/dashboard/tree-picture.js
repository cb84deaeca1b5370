/** A flow's tree: levels as an outline, their jobs as shapes; few jobs of a level have their names beside them. */

import { number } from "../shared/words.js";
import { endedOf, nameOf, stateOf } from "./flow-model.js";
import { HEAD, Picture } from "./picture.js";

const INDENT = 22;
const PADDING = 10;
const CELL = 18;
const NAMED_CELL = 168;
const NAMED_HEIGHT = 24;
const NAMED_JOBS = 40;
const GAP = 8;

/** @typedef {import("./flow-model.js").Level} Level */

export class TreePicture extends Picture {
  /** How far each level is to the right of the one above it, in px. */
  indent = 0;

  /** @param {Level[]} shown @returns {import("./picture.js").Row[]} */
  arrange(shown) {
    const deepest = shown.reduce((most, level) => Math.max(most, level.depth), 1);
    this.indent = Math.max(1, Math.min(INDENT, (0.4 * this.width) / deepest));
    const rows = [];
    let y = 4;
    for (const level of shown) {
      rows.push({ y, height: HEAD, level, from: -1, to: -1 });
      y += HEAD;
      if (!level.open) continue;
      const { pitch, height } = this.cell(level);
      const across = Math.max(1, Math.floor((this.width - this.left(level) - 2 * INDENT) / pitch));
      for (let from = 0; from < level.jobs.length; from += across) {
        rows.push({ y, height, level, from, to: Math.min(level.jobs.length, from + across) });
        y += height;
      }
      y += GAP;
    }
    return rows;
  }

  /** @param {Level} level */
  left(level) {
    return PADDING + level.depth * this.indent;
  }

  /** @param {Level} level */
  cell(level) {
    const isNamed = level.jobs.length <= NAMED_JOBS;
    return isNamed ? { isNamed, pitch: NAMED_CELL, height: NAMED_HEIGHT } : { isNamed, pitch: CELL, height: CELL };
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paint(row, y) {
    this.paintGuides(row, y);
    if (row.from < 0) this.paintHead(row, y);
    else this.paintJobs(row, y);
  }

  /** Lines that lead up to the levels that wait for this one. @param {import("./picture.js").Row} row @param {number} y */
  paintGuides(row, y) {
    const { context, colours } = this;
    const { level } = row;
    context.fillStyle = colours["--line"];
    if (this.indent >= 6) {
      for (let depth = 1; depth <= level.depth; depth += 1) {
        context.fillRect(PADDING + (depth - 1) * this.indent + 7, y - GAP, 1, row.height + GAP);
      }
    }
    if (row.from < 0 && level.parent) context.fillRect(this.left(level.parent) + 7, y + HEAD / 2, this.indent - 6, 1);
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paintHead(row, y) {
    const { context, colours, width } = this;
    const { level } = row;
    const left = this.left(level);
    const middle = y + HEAD / 2;
    context.fillStyle = colours["--soft"];
    context.beginPath();
    if (level.open) {
      context.moveTo(left + 2, middle - 3);
      context.lineTo(left + 12, middle - 3);
      context.lineTo(left + 7, middle + 4);
    } else {
      context.moveTo(left + 4, middle - 5);
      context.lineTo(left + 11, middle);
      context.lineTo(left + 4, middle + 5);
    }
    context.fill();
    this.paintShape(stateOf(level), left + 18, middle - 7, 14);
    const counts = level.open ? level.own : level.all;
    const wide = Math.max(40, Math.min(180, width * 0.2));
    const right = width - PADDING - wide;
    const sum = Object.values(counts).reduce((total, count) => total + count, 0);
    this.paintBar(counts, right, middle - 4, wide, 8);
    const words = `${number(endedOf(counts))} of ${number(sum)}`;
    context.font = `12px ${this.font}`;
    const start = right - 10 - context.measureText(words).width;
    this.paintText(words, start, middle, 200, "--soft", "12px");
    const path = this.critical.has(level.number) ? " \u2605" : "";
    const name = this.paintText(nameOf(level) + path, left + 38, middle, start - left - 46, "--text", "bold 13px");
    this.paintText(level.title, left + 46 + name, middle, start - left - 54 - name, "--soft");
    if (this.isActive(row)) this.paintActive(left - 2, y + 1, width - left - 4, HEAD - 2);
  }

  /** @param {import("./picture.js").Row} row @param {number} y */
  paintJobs(row, y) {
    const { level } = row;
    const { isNamed, pitch, height } = this.cell(level);
    const left = this.left(level) + INDENT - 4;
    const active = this.item.job?.level === level ? this.item.job.at : -1;
    for (let at = row.from; at < row.to; at += 1) {
      const job = level.jobs[at];
      const x = left + (at - row.from) * pitch;
      this.paintShape(job.state, x + 3, y + (height - 12) / 2, 12);
      if (isNamed) this.paintText(job.as, x + 20, y + height / 2, pitch - 28, "--text", "12px");
      if (at === active) this.paintActive(x, y, isNamed ? pitch - 4 : CELL, height);
    }
  }

  /** @param {import("./picture.js").Row} row @param {number} x @returns {import("./picture.js").Item | null} */
  at(row, x) {
    const { level } = row;
    if (row.from < 0) return { level, job: null };
    const column = Math.floor((x - this.left(level) - INDENT + 4) / this.cell(level).pitch);
    const at = row.from + column;
    return column >= 0 && at < row.to ? { level, job: level.jobs[at] } : null;
  }
}
