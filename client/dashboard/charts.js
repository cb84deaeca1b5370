/** Small charts, drawn as SVG: lines over time and histograms. Each says in words what it shows. */

import { h, put, s, say } from "../shared/dom.js";
import { number, span } from "../shared/words.js";

const WIDTH = 320;
const HEIGHT = 90;
const FOOT = 14;
const MOST_BINS = 24;

/**
 * A line over time that takes in a value at a time.
 *
 * @param {string} title
 * @param {{colour?: string, most?: number}} [options] `most`: how many values it shows.
 */
export function lineChart(title, { colour = "running", most = 300 } = {}) {
  /** @type {number[]} */
  let values = [];
  const line = s("path", { class: `line is-${colour}` });
  const area = s("path", { class: `area is-${colour}` });
  const picture = s(
    "svg",
    {
      class: "chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      preserveAspectRatio: "none",
      "aria-label": `${title}: nothing yet`,
    },
    s("path", { class: "grid", d: `M0 14H${WIDTH}M0 ${HEIGHT / 2 + 4}H${WIDTH}M0 ${HEIGHT - 1}H${WIDTH}` }),
    area,
    line,
  );
  const now = h("strong", { class: "now" });
  const range = h("span", { class: "soft" });
  const element = h(
    "figure",
    { class: "card chart-card" },
    h("figcaption", null, h("span", null, title), now),
    picture,
    range,
  );

  const draw = () => {
    const top = Math.max(1, ...values);
    const step = WIDTH / Math.max(1, Math.min(most, Math.max(values.length, 30)) - 1);
    const points = values.map(
      (value, at) => `${(at * step).toFixed(1)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 15)).toFixed(1)}`,
    );
    line.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    area.setAttribute(
      "d",
      points.length ? `M0 ${HEIGHT}L${points.join("L")}L${((points.length - 1) * step).toFixed(1)} ${HEIGHT}Z` : "",
    );
    const last = values[values.length - 1] ?? 0;
    say(now, number(last));
    say(range, `${number(Math.min(...values))} to ${number(Math.max(...values))}`);
    picture.setAttribute("aria-label", `${title}: now ${number(last)}, ${range.textContent}`);
  };
  return {
    element,
    /** @param {number[]} all */
    set(all) {
      values = all.slice(-most);
      draw();
    },
    /** @param {number} value */
    add(value) {
      values = [...values, value].slice(-most);
      draw();
    },
  };
}

/**
 * How often values fall into ranges of equal width.
 *
 * @param {string} title
 * @param {number[]} values In ms.
 */
export function histogram(title, values) {
  const caption = h("figcaption", null, h("span", null, title));
  if (!values.length) {
    return h("figure", { class: "chart-card" }, caption, h("p", { class: "soft" }, "Nothing was measured yet."));
  }
  const sorted = [...values].sort((a, b) => a - b);
  const lowest = sorted[0];
  const highest = Math.max(sorted[sorted.length - 1], lowest + 1);
  const bins = new Array(Math.min(MOST_BINS, Math.max(4, Math.ceil(Math.sqrt(values.length))))).fill(0);
  for (const value of values) {
    bins[Math.min(bins.length - 1, Math.floor((bins.length * (value - lowest)) / (highest - lowest)))] += 1;
  }
  const top = Math.max(...bins);
  const wide = WIDTH / bins.length;
  const bars = bins.map((count, at) => {
    const tall = (count / top) * (HEIGHT - FOOT);
    const range = `${span(lowest + (at * (highest - lowest)) / bins.length)} to ${span(lowest + ((at + 1) * (highest - lowest)) / bins.length)}: ${count}`;
    return s(
      "rect",
      { class: "is-running", x: at * wide + 1, width: wide - 2, y: HEIGHT - tall, height: tall },
      s("title", null, range),
    );
  });
  const median = sorted[sorted.length >> 1];
  const slow = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
  const words = `${number(values.length)} results, half of them within ${span(median)}, 95 % within ${span(slow)}, at most ${span(sorted[sorted.length - 1])}`;
  const ground = s("rect", { class: "ground", y: HEIGHT - 1, width: WIDTH, height: 1 });
  const picture = s(
    "svg",
    {
      class: "chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `${title}: ${words}`,
      preserveAspectRatio: "none",
    },
    ground,
    bars,
  );
  const ends = h("div", { class: "ends soft" }, h("span", null, span(lowest)), h("span", null, span(highest)));
  const figure = h("figure", { class: "chart-card" });
  put(figure, caption, picture, ends, h("p", { class: "soft" }, words));
  return figure;
}
