/**
 * Where each value of a JSON text stands, so that errors can be shown at their place.
 *
 * @typedef {Map<string, number>} Places Offsets by path, such as `dependent[0].jobs[2].job`; the whole text is ``.
 */

/** A text that is not JSON (RFC 8259), and where it stops being it. */
export class NotJson extends Error {
  /** @param {string} message @param {number} offset */
  constructor(message, offset) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * @param {string} text
 * @returns {{value: any, places: Places}}
 * @throws {NotJson}
 */
export function parsed(text) {
  /** @type {Places} */
  const places = new Map();
  let at = 0;

  const skip = () => {
    SPACE.lastIndex = at;
    SPACE.exec(text);
    at = SPACE.lastIndex;
  };
  const fail = (/** @type {string} */ expected) => {
    const found = at < text.length ? JSON.stringify(text[at]) : "the end";
    throw new NotJson(`expected ${expected}, and there is ${found}`, at);
  };
  /** @param {string} sign */
  const takes = (sign) => {
    skip();
    if (text[at] !== sign) return false;
    at += 1;
    return true;
  };
  const scalar = () => {
    SCALAR.lastIndex = at;
    const [found] = SCALAR.exec(text) ?? fail("a value");
    let value;
    try {
      value = JSON.parse(found);
    } catch {
      fail("a string without control characters and unknown escapes");
    }
    at += found.length;
    return value;
  };
  /** @param {string} path @returns {any} */
  const value = (path) => {
    skip();
    places.set(path, at);
    if (takes("{")) return object(path);
    if (takes("[")) return list(path);
    return scalar();
  };
  /** @param {string} path */
  const object = (path) => {
    /** @type {[string, any][]} */
    const entries = [];
    if (takes("}")) return {};
    do {
      skip();
      if (text[at] !== '"') fail("a name in quotes");
      const name = scalar();
      if (!takes(":")) fail("a colon");
      entries.push([name, value(path ? `${path}.${name}` : name)]);
    } while (takes(","));
    if (!takes("}")) fail("a comma or }");
    return Object.fromEntries(entries);
  };
  /** @param {string} path */
  const list = (path) => {
    /** @type {unknown[]} */
    const values = [];
    if (takes("]")) return values;
    do values.push(value(`${path}[${values.length}]`));
    while (takes(","));
    if (!takes("]")) fail("a comma or ]");
    return values;
  };

  const all = value("");
  skip();
  if (at < text.length) fail("the end");
  return { value: all, places };
}

/** Where a path stands, or the nearest thing around it. @param {Places} places @param {string} path */
export function placeOf(places, path) {
  for (let around = path; around; around = around.replace(/(?:\.?[^.[\]]+|\[\d+\])$/, "")) {
    const offset = places.get(around) ?? places.get(around.replaceAll("[0]", ""));
    if (offset !== undefined) return offset;
  }
  return 0;
}

/** The line (from 1) of an offset. @param {string} text @param {number} offset */
export function lineOf(text, offset) {
  return text.slice(0, offset).split("\n").length;
}
