// What a call of an owner's function gave. Whoever makes such a call, for the pool or as a volunteer, decides it here.
//
// Runs first of all, and leaves `__calls` for the script that comes next, which takes it away. Whatever is needed after
// owner's code has run is captured here: owners may patch every prototype. Replies are plain strings, "kind\ntext": a
// patched toJSON or setter on Object.prototype cannot forge them. The kinds are FailureKind's of outcomes.py, or
// "returned" and JSON.
(() => {
  "use strict";

  const { parse, stringify } = JSON;
  const { apply, deleteProperty, getPrototypeOf } = Reflect;
  const { keys, prototype: plain } = Object;
  const { hasOwnProperty } = plain;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { indexOf, slice, toWellFormed, trim } = String.prototype;
  const { test } = RegExp.prototype;
  const { then } = Promise.prototype;
  const hasInstance = Function.prototype[Symbol.hasInstance];
  const [BooleanType, DateType, NumberType, PromiseType, StringType] = [Boolean, Date, Number, Promise, String];
  const text = String;

  // Their properties are not what they hold.
  const HOLDERS = [Map, Set, Error];
  const CANNOT_CARRY = ", which JSON cannot carry";
  const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
  const TEXT_LENGTH = 500;
  // What is deeper is refused for that.
  const DEEPEST = 1_000;
  const MOST_MEMBERS = 100_000;

  // It would let a text through that is no JSON.
  deleteProperty(JSON, "rawJSON");

  const isA = (/** @type {Function} */ type, /** @type {unknown} */ value) => apply(hasInstance, type, [value]);

  const isObject = (/** @type {any} */ value) =>
    (typeof value === "object" && value !== null) || typeof value === "function";

  const reply = (/** @type {string} */ kind, /** @type {string} */ said) =>
    `${kind}\n${apply(toWellFormed, apply(slice, said, [0, TEXT_LENGTH]), [])}`;

  const describe = (/** @type {any} */ error) => {
    if (error === undefined || error === null) return `threw ${error}`;
    if (!isObject(error)) return text(error);
    const { name, message } = error;
    if (typeof message !== "string") return stringify(error) ?? text(error);
    const said = apply(trim, message, []) === "" ? "(no message)" : message;
    return typeof name === "string" && name !== "" ? `${name}: ${said}` : said;
  };

  /**
   * A reply of what was thrown, which is never empty.
   * @param {string} kind
   * @param {unknown} error
   */
  const failure = (kind, error) => {
    try {
      const said = describe(error);
      return reply(kind, apply(trim, said, []) === "" || said === "(no message)" ? "Error: (no message)" : said);
    } catch {
      return `${kind}\nan error that cannot be shown`; // the owner's own toString or getter threw
    }
  };

  const isScalar = (/** @type {any} */ value) =>
    typeof value === "number" ? value - value === 0 : typeof value === "string" || typeof value === "boolean";

  let budget = 0;

  /**
   * What JSON would lose of a value, and where, as in `.a[3]: NaN`. Empty: nothing.
   * @param {any} given
   * @param {string | number} key What it stands under.
   * @param {number} depth
   * @returns {string}
   */
  const lossIn = (given, key, depth) => {
    if (isScalar(given)) return "";
    const value = typeof given?.toJSON === "function" ? given.toJSON(key) : given;
    if (value === null) return given !== null && isA(DateType, given) ? ": Invalid Date" : "";
    if (isScalar(value)) return "";
    if (typeof value === "number") return `: ${value}`;
    if (typeof value === "bigint") return ": BigInt";
    if (typeof value !== "object") return `: ${typeof value}`;
    if (depth > DEEPEST || budget < 0) return "";
    return isArray(value) ? lossInArray(value, depth) : lossInObject(value, key, depth);
  };

  const lossInArray = (/** @type {any[]} */ value, /** @type {number} */ depth) => {
    budget -= value.length;
    for (let at = 0; at < value.length; at++) {
      const item = value[at];
      if (isScalar(item)) continue;
      const loss = lossIn(item, at, depth + 1);
      if (loss) return `[${at}]${loss}`;
    }
    return "";
  };

  const lossInObject = (/** @type {any} */ value, /** @type {string | number} */ key, /** @type {number} */ depth) => {
    const names = keys(value);
    budget -= names.length;
    const prototype = getPrototypeOf(value);
    if (prototype !== plain && prototype !== null) {
      if (isA(BooleanType, value) || isA(StringType, value)) return "";
      if (isA(NumberType, value)) return lossIn(NumberType(value), key, depth + 1);
      let holds = names.length === 0 || isView(value);
      for (let at = 0; at < HOLDERS.length; at++) holds ||= isA(HOLDERS[at], value);
      if (holds) return `: ${kindOf(value)}`;
    }
    for (let at = 0; at < names.length; at++) {
      const member = value[names[at]];
      if (isScalar(member) || member === undefined) continue;
      const loss = lossIn(member, names[at], depth + 1);
      if (loss) return (apply(test, NAME, [names[at]]) ? `.${names[at]}` : `[${stringify(names[at])}]`) + loss;
    }
    return "";
  };

  /** @param {any} value */
  const kindOf = ({ constructor: type }) => {
    const name = isObject(type) && typeof type.name === "string" ? type.name : "";
    return name === "" || name === "Object" ? "an object that is not a plain one" : name;
  };

  /** JSON.stringify escapes a lone surrogate, and nothing else, as \ud...; it becomes U+FFFD. @param {string} json */
  const withoutLoneSurrogates = (json) => {
    if (apply(indexOf, json, ["\\ud"]) < 0) return json;
    let made = "";
    let from = 0;
    for (let at; (at = apply(indexOf, json, ["\\", from])) >= 0;) {
      const lone = json[at + 1] === "u" && json[at + 2] === "d";
      made += apply(slice, json, [from, at]) + (lone ? "\ufffd" : json[at] + json[at + 1]);
      from = at + (lone ? 6 : 2);
    }
    return made + apply(slice, json, [from]);
  };

  /**
   * A value as JSON, or the reply that says why it has none.
   * @param {unknown} value
   * @param {string} name What the value is called in that.
   * @returns {{json: string, problem: string}}
   */
  const written = (value, name) => {
    let json;
    let thrown;
    try {
      json = stringify(value);
    } catch (error) {
      thrown = { error };
    }
    let loss = "";
    try {
      // What has no JSON may have no end either.
      budget = thrown ? MOST_MEMBERS : Infinity;
      loss = lossIn(value, "", 0);
    } catch (error) {
      thrown ??= { error };
    }
    if (loss) return { json: "", problem: reply("not_json", `${name}${loss}${CANNOT_CARRY}`) };
    if (thrown) return { json: "", problem: failure("not_json", thrown.error) };
    return { json: withoutLoneSurrogates(/** @type {string} */ (json)), problem: "" };
  };

  const returned = (/** @type {string} */ json, /** @type {number} */ limit) =>
    json.length > limit ? `too_large\nthe result is longer than ${limit} bytes` : `returned\n${json}`;

  const NOTHING = "undefined\nreturned undefined";

  /** What each kind of function answers. */
  const answers = {
    __proto__: null,

    /** Any value. @param {unknown} value @param {number} limit */
    value(value, limit) {
      if (value === undefined) return NOTHING;
      const { json, problem } = written(value, "answer");
      return problem || returned(json, limit);
    },

    /** A condition: whether JavaScript takes it for true. @param {unknown} value */
    truth(value) {
      if (value === undefined) return NOTHING;
      if (typeof value !== "symbol" && typeof value !== "function") return `returned\n${value ? "true" : "false"}`;
      return `not_json\nit returned a ${typeof value}, which is neither true nor false`;
    },

    /** A validator whose own value is not kept: what it says, in at most some hundred characters. @param {any} value */
    verdict(value) {
      if (value === undefined) return NOTHING;
      if (typeof value === "symbol" || typeof value === "function") {
        return `not_json\nit returned a ${typeof value}, which is neither true nor false`;
      }
      if (isObject(value) && !isArray(value)) {
        const { valid, reason } = value;
        if (typeof valid === "boolean") {
          const said = reason ? apply(toWellFormed, apply(slice, text(reason), [0, TEXT_LENGTH]), []) : "";
          return `returned\n{"valid":${valid},"reason":${stringify(said)}}`;
        }
      }
      return `returned\n${value ? "true" : "false"}`;
    },

    /** A job: its context with a field `result`, answered as `{value, context}`. @param {any} value @param {number} limit */
    job(value, limit) {
      if (!isObject(value) || isArray(value) || !apply(hasOwnProperty, value, ["result"])) return noResult(value);
      let parts;
      try {
        const { result, ...context } = value;
        parts = { result, context };
      } catch (error) {
        return failure("not_json", error);
      }
      const result = written(parts.result, "result");
      if (result.problem) return result.problem;
      const { json, problem } = written(parts.context, "context");
      if (problem) return problem;
      if (json[0] !== "{") return reply("not_json", `context: another value than an object${CANNOT_CARRY}`);
      return returned(`{"value":${result.json},"context":${json}}`, limit);
    },
  };

  const noResult = (/** @type {any} */ value) => {
    let what = typeof value === "string" ? stringify(apply(slice, value, [0, 80])) : "an object without it";
    if (value === undefined) what = "nothing";
    else if (isArray(value)) what = "an array";
    else if (typeof value === "function") what = "a function";
    else if (!isObject(value) && typeof value !== "string") what = text(value);
    return reply("no_result", `execute_function must return the context with a field \`result\`, and returned ${what}`);
  };

  /**
   * Calls a function, and hands over the reply at once or when its promise settles.
   *
   * @param {Function} target
   * @param {any[]} texts Its arguments: JSON texts, or "undefined".
   * @param {"value" | "truth" | "verdict" | "job"} wanted
   * @param {number} limit The longest JSON to return, in UTF-16 code units.
   * @param {(reply: string) => void} settle
   */
  const call = (target, texts, wanted, limit, settle) => {
    const answer = /** @type {any} */ (answers)[wanted];
    try {
      for (let at = 0; at < texts.length; at++) texts[at] = texts[at] === "undefined" ? undefined : parse(texts[at]);
      let value = apply(target, undefined, texts);
      if (!isA(PromiseType, value)) {
        if (!isObject(value) || typeof value.then !== "function") return settle(answer(value, limit));
        const thenable = value;
        value = new PromiseType((resolve) => resolve(thenable));
      }
      apply(then, value, [
        (/** @type {unknown} */ result) => settle(answer(result, limit)),
        (/** @type {unknown} */ error) => settle(failure("error", error)),
      ]);
    } catch (error) {
      settle(failure("error", error));
    }
  };

  Object.defineProperty(globalThis, "__calls", { value: { call, failure }, configurable: true });
})();
