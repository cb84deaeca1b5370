// Compiles jobs' code with `**` rewritten: their own text, and what they give to Function and its kin, and to eval.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { rewritingOf, edited, definePower } = __math;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } =
    Reflect;
  const { is } = Object;
  const { includes } = String.prototype;
  const [NativeFunction, NativeProxy, SyntaxFault, evaluate] = [Function, Proxy, SyntaxError, eval];
  const realm = /** @type {any} */ (globalThis);

  /** Functions of each kind that a text can be compiled to, except plain ones. @type {Record<string, any>} */
  const KINDS = {
    "async function": async () => {},
    *"function*"() {},
    async *"async function*"() {},
  };

  const snapshotOf = (/** @type {any} */ holder, /** @type {PropertyKey[]} */ keys) => ({
    holder,
    keys,
    properties: keys.map((key) => getOwnPropertyDescriptor(holder, key)),
  });

  const prototypeOf = (/** @type {any} */ value) => /** @type {any} */ (getPrototypeOf(value));
  const arrayIterators = prototypeOf([][Symbol.iterator]());

  const isUnchanged = (/** @type {ReturnType<typeof snapshotOf>} */ { holder, keys, properties }) => {
    for (let at = 0; at < keys.length; at++) {
      const now = getOwnPropertyDescriptor(holder, keys[at]);
      const then = properties[at];
      if (!is(now?.value, then?.value) || now?.get !== then?.get) return false;
    }
    return true;
  };

  /** Makes what says whether no job has changed what a text is rewritten with: it could have `**` overlooked. */
  const intactness = () => {
    const types = [Object, Array, String, Number];
    // What acorn and rewriting.js use.
    const whole = [
      ...types,
      ...types.map(({ prototype }) => prototype),
      RegExp.prototype,
      arrayIterators,
      prototypeOf(arrayIterators),
    ].map((holder) => snapshotOf(holder, ownKeys(holder)));
    const parts = [
      snapshotOf(Function.prototype, ["apply", "call", "bind"]),
      // It has properties that say what was matched last.
      snapshotOf(RegExp, ["prototype", Symbol.species]),
      snapshotOf(realm, ["Object", "Array", "String", "Number", "RegExp"]),
    ];

    return () => {
      for (let at = 0; at < whole.length; at++) {
        if (ownKeys(whole[at].holder).length !== whole[at].keys.length || !isUnchanged(whole[at])) return false;
      }
      return isUnchanged(parts[0]) && isUnchanged(parts[1]) && isUnchanged(parts[2]);
    };
  };

  /**
   * Has every program of this realm compute powers by __power. It comes after all other changes of built-ins, and before any
   * job's code.
   *
   * @param {string} parser The text of acorn's dist/acorn.js, which is compiled when it is first needed. To read it costs a cell
   *   some milliseconds: it may be empty for a job whose code has no `**`.
   * @returns {(...texts: string[]) => Function} Compiles as Function does, of which the realm has no other now.
   */
  const compileWith = (parser) => {
    const isIntact = intactness();
    /** @type {any} */
    let acorn;

    const parse = (/** @type {string} */ source) => {
      if (!parser) throw new SyntaxFault("code with ** can't be compiled by a job whose own code has none");
      if (!isIntact()) throw new SyntaxFault("code with ** can't be compiled after changes of built-in prototypes");
      if (!acorn) NativeFunction("exports", "module", parser)((acorn = {}), {});
      return acorn.parse(source, { ecmaVersion: "latest", preserveParens: true });
    };

    /**
     * The text of parameters and of a body (ECMA-262, section 20.2.1.1.1).
     *
     * @param {string} kind
     * @param {string} parameters
     * @param {string} body
     */
    const rewriteFunction = (kind, parameters, body) => {
      const head = `(${kind} anonymous(`;
      const source = `${head}${parameters}\n) {\n${body}\n})`;
      const edits = rewritingOf(source, parse(source));
      const bodyAt = head.length + parameters.length + 5;
      return [
        edited(source, edits, head.length, head.length + parameters.length),
        edited(source, edits, bodyAt, bodyAt + body.length),
      ];
    };

    /** @param {string} kind @param {Function} Native @param {ArrayLike<unknown>} given @param {Function} [target] */
    const compile = (kind, Native, given, target = Native) => {
      let parameters = "";
      let body = "";
      for (let at = 0; at < given.length; at++) {
        const text = `${given[at]}`;
        if (at === given.length - 1) body = text;
        else parameters += at ? `,${text}` : text;
      }
      // Says what is wrong of a text that is none, or that closes its own brackets.
      const compiled = construct(Native, [parameters, body], target);
      if (!apply(includes, parameters, ["**"]) && !apply(includes, body, ["**"])) return compiled;
      return construct(Native, rewriteFunction(kind, parameters, body), target);
    };

    const guard = (/** @type {string} */ kind, /** @type {Function} */ Native) => {
      const guarded = new NativeProxy(Native, {
        // @ts-expect-error: a job could add traps to what it would inherit from.
        __proto__: null,
        apply: (_target, _self, given) => compile(kind, Native, given),
        construct: (_target, given, target) => compile(kind, Native, given, target),
      });
      defineProperty(Native.prototype, "constructor", { value: guarded });
      return guarded;
    };

    const guardedFunction = guard("function", NativeFunction);
    defineProperty(realm, "Function", { value: guardedFunction });
    for (const kind of Object.keys(KINDS)) {
      const Native = prototypeOf(KINDS[kind]).constructor;
      guard(kind, Native);
      setPrototypeOf(Native, guardedFunction);
    }
    const guardedEval = {
      /** Sees what is global, as any call of eval does which is not by that name. @param {any} source */
      eval(source) {
        if (typeof source !== "string" || !apply(includes, source, ["**"])) return evaluate(source);
        return evaluate(edited(source, rewritingOf(source, parse(source)), 0, source.length));
      },
    }.eval;
    defineProperty(realm, "eval", { value: guardedEval });
    definePower(realm);
    return (...texts) => compile("function", NativeFunction, texts);
  };

  __math.compileWith = compileWith;
})();
