/** A canvas to draw a flow on, in the colours of the page: states as shapes and bars, and text that fits. */

import { h } from "../shared/dom.js";
import { FlowNodeState } from "../src/schema.js";
import { NODE_STATES, look } from "./states.js";

const COLOURS = [
  "--card",
  "--raised",
  "--line",
  "--text",
  "--soft",
  "--accent",
  ...new Set(NODE_STATES.map((state) => look(state).colour)),
];

export class Surface {
  constructor() {
    this.width = 0;
    this.height = 0;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {Record<string, string>} */
    this.colours = {};
    this.font = "";
    /** @type {Map<string, HTMLCanvasElement>} */
    this.shapes = new Map();
  }

  /** Take on the size and the colours of an element. @param {Element} element */
  fit(element) {
    const { clientWidth, clientHeight } = element;
    const ratio = devicePixelRatio || 1;
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = clientWidth * ratio;
    this.canvas.height = clientHeight * ratio;
    this.canvas.style.width = `${clientWidth}px`;
    this.canvas.style.height = `${clientHeight}px`;
    const style = getComputedStyle(element);
    this.colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(name).trim()]));
    this.font = style.getPropertyValue("--sans");
    this.shapes.clear();
  }

  wipe() {
    const { context, canvas, width, height } = this;
    const ratio = canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colours["--card"];
    context.fillRect(0, 0, width, height);
    context.textBaseline = "middle";
    context.font = `13px ${this.font}`;
  }

  /** The shape of a state in its colour, drawn once for each size. @param {string} state @param {number} size */
  shapeOf(state, size) {
    const key = `${state} ${size}`;
    const known = this.shapes.get(key);
    if (known) return known;
    const ratio = devicePixelRatio || 1;
    const made = h("canvas", { width: Math.ceil(size * ratio), height: Math.ceil(size * ratio) });
    const context = /** @type {CanvasRenderingContext2D} */ (made.getContext("2d"));
    const { path, solid, colour } = look(state);
    context.scale((size * ratio) / 16, (size * ratio) / 16);
    context.fillStyle = context.strokeStyle = this.colours[colour];
    context.lineWidth = 2;
    if (solid) context.fill(new Path2D(path), "evenodd");
    else context.stroke(new Path2D(path));
    this.shapes.set(key, made);
    return made;
  }

  /** @param {string} state @param {number} x @param {number} y @param {number} size */
  paintShape(state, x, y, size) {
    this.context.drawImage(this.shapeOf(state, size), x, y, size, size);
  }

  /** Text that ends at a width. @param {string} text @param {number} x @param {number} y @param {number} width @param {string} colour */
  paintText(text, x, y, width, colour, font = "13px") {
    if (width < 12) return 0;
    const { context } = this;
    context.font = `${font} ${this.font}`;
    context.fillStyle = this.colours[colour];
    let shown = text;
    let wide = context.measureText(shown).width;
    if (wide > width) {
      const fitting = Math.max(1, Math.floor((shown.length * width) / wide) - 2);
      shown = `${shown.slice(0, fitting)}\u2026`;
      wide = context.measureText(shown).width;
    }
    context.fillText(shown, x, y);
    return wide;
  }

  /** Counts by state as a bar. @param {Record<string, number>} counts @param {number} x @param {number} y @param {number} width @param {number} height */
  paintBar(counts, x, y, width, height) {
    const { context, colours } = this;
    context.fillStyle = colours["--line"];
    context.fillRect(x, y, width, height);
    let total = 0;
    for (const state of NODE_STATES) total += counts[state];
    let left = x;
    for (const state of NODE_STATES) {
      if (state === FlowNodeState.WAITING || !counts[state]) continue;
      const wide = (width * counts[state]) / total;
      context.fillStyle = colours[look(state).colour];
      context.fillRect(left, y, wide, height);
      left += wide;
    }
  }
}
