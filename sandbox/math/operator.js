// What `a ** b` and `a **= b` become in jobs' code (see rewriting.js), since engines compile them to a pow of their own:
//
//   a ** b       __power(a, b)
//   a **= b      a = __power(a, b)
//   a[k] **= b   __power.set(__power.get((o, k) => o[k], (o, k, v) => (o[k] = v), a, k), b)
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { pow } = __math.functions;
  const { defineProperty, ownKeys } = Reflect;
  const { freeze } = Object;

  /**
   * The operator (ECMA-262, section 13.15.3). A power of BigInts is exact in every engine.
   *
   * @param {any} a
   * @param {any} b
   */
  const power = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return pow(a, b);
    // Twice negated, a value is what ToNumeric makes of it.
    const base = -(-a);
    const exponent = -(-b);
    return typeof base === "number" && typeof exponent === "number" ? pow(base, exponent) : base ** exponent;
  };

  /** A value as a key, converted only once. @param {any} key */
  const keyOf = (key) => {
    const isObject = (typeof key === "object" && key !== null) || typeof key === "function";
    return isObject ? ownKeys({ __proto__: null, [key]: 0 })[0] : key;
  };

  /**
   * Reads a property that is about to be set.
   *
   * @param {(object: any, key: any) => any} read
   * @param {(object: any, key: any, value: any) => any} write
   * @param {any} object
   * @param {any} [key]
   */
  const get = (read, write, object, key) => {
    const once = object === null || object === undefined ? key : keyOf(key);
    return { __proto__: null, write, object, key: once, value: read(object, once) };
  };

  /** Sets it to a power of what it was. @param {any} property What `get` returned. @param {any} exponent */
  const set = ({ write, object, key, value }, exponent) => {
    const result = power(value, exponent);
    write(object, key, result);
    return result;
  };

  power.get = get;
  power.set = set;
  __math.definePower = (/** @type {any} */ target) => defineProperty(target, "__power", { value: freeze(power) });
})();
