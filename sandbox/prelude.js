// Runs in every context after call.js and the scripts of Math, and before any owner's code, and hands the worker its five commands.
// The worker replaces HIDDEN by the list of globals the owner's code must not see.
//
// Whatever is needed after owner's code has run is captured here: owners may patch every prototype.
((/** @type {string[]} */ hidden) => {
  "use strict";

  const { stringify } = JSON;
  const { deleteProperty } = Reflect;
  const [Compiler, SyntaxFault] = [Function, SyntaxError];

  const GAP = /\s+|;|\/\/.*|\/\*[^]*?\*\//y;
  const EXPORT = /export\s+default\b/y;
  // Only a return of a function literal: any other body stays the owner's own text.
  const RETURN = /return\b(?=[ \t]*(?:(?:async[ \t]+)?function\b|(?:async[ \t]*)?(?:[\w$]+|\([^()]*\))\s*=>))/y;
  const METHOD =
    /(?:async\s+)?\*?\s*(?!(?:if|for|while|with|switch|catch|function)\b)([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*\(/uy;

  const globals = /** @type {any} */ (globalThis);
  const { call, failure } = globals.__calls;
  deleteProperty(globals, "__calls");
  // The same bits from every volunteer: engines compute most functions of Math each in their own way.
  globals.__math.install(Math);
  deleteProperty(globals, "__math");
  for (const name of hidden) if (!deleteProperty(globals, name)) globals[name] = undefined;

  /**
   * @param {string[]} parameters
   * @param {string} body
   */
  const parses = (parameters, body) => {
    try {
      Compiler(...parameters, body);
      return true;
    } catch (error) {
      if (error instanceof SyntaxFault) return false;
      throw error; // a RangeError: nested too deep for the parser
    }
  };

  // One pair of brackets can be closed and opened again by the text itself ("1) + (2"), two kinds cannot.
  const isExpression = (/** @type {string} */ source) => parses([], `((${source}\n))`) && parses([], `[${source}\n]`);

  const isMethod = (/** @type {string} */ source) =>
    parses([], `({${source}\n})`) && parses([], `(class {${source}\n})`);

  const gapAt = (/** @type {string} */ source, /** @type {number} */ at) => {
    GAP.lastIndex = at;
    return GAP.test(source) ? GAP.lastIndex : at;
  };

  /**
   * What a text begins with, behind its comments.
   * @param {RegExp} lead
   * @param {string} source
   */
  const leading = (lead, source) => {
    let at = 0;
    for (let next; (next = gapAt(source, at)) > at;) at = next;
    lead.lastIndex = at;
    return lead.exec(source);
  };

  /**
   * The text with that beginning blanked out, so that everything else keeps its line and column.
   * @param {string} source
   * @param {RegExp} lead
   */
  const blanked = (source, lead) => {
    const found = leading(lead, source);
    if (!found) return source;
    const end = found.index + found[0].length;
    return source.slice(0, found.index) + found[0].replace(/\S/g, " ") + source.slice(end);
  };

  const isEmpty = (/** @type {string} */ source) => leading(/$/y, source) !== null;

  /**
   * The text, and the text up to the first and the last `;` which only comments and more of them follow. The
   * first is within the code only where that has a regular expression like /;//.
   * @param {string} source
   */
  const withoutTrailer = (source) => {
    const heads = new Set([source]);
    const onlyGapFrom = new Set([source.length]);
    const ends = [];
    for (let end = source.lastIndexOf(";"); end > 0; end = source.lastIndexOf(";", end - 1)) {
      const passed = [];
      let at = end;
      for (let next; !onlyGapFrom.has(at) && (next = gapAt(source, at)) > at; at = next) passed.push(at);
      if (!onlyGapFrom.has(at)) continue;
      for (const place of passed) onlyGapFrom.add(place);
      ends.push(end);
    }
    for (const end of [...ends.slice(-1), ...ends.slice(0, 1)]) heads.add(source.slice(0, end));
    return heads;
  };

  // A function is called with what the body was called with; any other value is the answer itself.
  const bodyOf = (/** @type {string} */ expression) =>
    `return (f => typeof f === "function" ? f.apply(this, arguments) : f)((${expression}\n))`;

  /**
   * What the owner wrote, as a function body; undefined where it does not parse.
   * @param {string} source
   * @param {string[]} parameters
   * @returns {{kind: "expression" | "method" | "body", body: string} | undefined}
   */
  const read = (source, parameters) => {
    const expression = blanked(blanked(source, EXPORT), RETURN);
    for (const candidate of withoutTrailer(expression)) {
      if (isExpression(candidate)) return { kind: "expression", body: bodyOf(candidate) };
      const method = leading(METHOD, candidate);
      if (method && isMethod(candidate)) return { kind: "method", body: bodyOf(`({${candidate}\n}).${method[1]}`) };
    }
    return parses(parameters, source) ? { kind: "body", body: source } : undefined;
  };

  /**
   * The ways to read a text that does not parse, for the worker to find which of them got furthest: what stands
   * before the text, the text, and what stands after it.
   * @param {string} source
   */
  const readings = (source) => {
    const expression = blanked(blanked(source, EXPORT), RETURN);
    return [
      ["", source, ""],
      ["((", expression, "\n))"],
      ...(leading(METHOD, expression) ? [["({", expression, "\n})"]] : []),
    ];
  };

  /** @type {Function} */
  let target;
  let unusable = "";
  let outcome = "";
  let turn = 0;

  const commands = {
    __proto__: null,

    /** The form of a source, or the ways to read it where it does not parse. No owner's code runs. */
    inspect(/** @type {string} */ source, /** @type {string[]} */ parameters) {
      if (isEmpty(source)) return stringify({ empty: true });
      const form = read(source, parameters);
      return stringify(form ? { form } : { readings: readings(source) });
    },

    /** Throws, uncaught, what V8 says of one reading: only so it tells the position. */
    attempt(/** @type {string[]} */ parameters, /** @type {string} */ body) {
      Compiler(...parameters, body);
      return "";
    },

    prepare(/** @type {string} */ source, /** @type {string[]} */ parameters) {
      try {
        const form = isEmpty(source) ? undefined : read(source, parameters);
        target = Compiler(...parameters, form ? form.body : source);
        if (!form) unusable = "syntax\nthe source is empty";
      } catch (error) {
        unusable = failure("syntax", error);
      }
      return "";
    },

    /**
     * Calls the prepared function; see call.js for the arguments and the reply.
     * @param {string[]} texts
     * @param {string} wanted
     * @param {number} limit
     */
    call(texts, wanted, limit) {
      if (unusable) return unusable;
      const mine = ++turn;
      outcome = "pending\nthe promise never settled";
      call(target, texts, wanted, limit, (/** @type {string} */ reply) => {
        if (mine === turn) outcome = reply;
      });
      return outcome;
    },

    /** What became of the last call's promise. */
    settled: () => outcome,
  };

  Object.defineProperty(globalThis, "__sandbox", { value: Object.freeze(commands) });
  // @ts-expect-error: names for HIDDEN are put in by whoever runs this.
})(HIDDEN);
