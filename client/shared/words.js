/** Numbers, times and JSON in words. */

const LONGEST_TEXT = 300;

/** @param {number} count @param {string} noun @param {string} [nouns] */
export function counted(count, noun, nouns = `${noun}s`) {
  return `${number(count)} ${count === 1 ? noun : nouns}`;
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
}

/** A number of bytes. @param {number} value */
export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(1, value)) / 3), units.length - 1);
  return `${number(value / 1000 ** power)} ${units[power]}`;
}

/** A text that begins with a capital letter. @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A time span. @param {number} ms */
export function span(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** How long ago a moment was. @param {string | number} when ISO 8601, or ms since the epoch. */
export function ago(when) {
  const passed = Date.now() - new Date(when).getTime();
  return passed < 1500 ? "now" : `${span(passed)} ago`;
}

/** A moment in the reader's own time. @param {string | number} when */
export function moment(when) {
  return new Date(when).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** A JSON value on one line, cut where it is long. @param {unknown} value */
export function brief(value, most = LONGEST_TEXT) {
  const text = JSON.stringify(value) ?? "";
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
