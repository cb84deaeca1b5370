// The portable functions of Math, in scripts that run one after the other: see install.js for what they are for.
//
// They compute with + - * / and Math.sqrt, Math.floor and Math.fround, which IEEE 754 and ECMAScript define to the last bit,
// so that every engine gets the same bits. This first script leaves `__math` for the next ones, with what all of them need.
(() => {
  "use strict";

  const FloatArray = Float64Array;

  /** What a function returns beside its value: what is missing from it, for the exact value. */
  const LOW = new FloatArray(1);

  /** A number and its two halves, of which HIGH is the index of the upper. */
  const FLOAT = new FloatArray(1);
  const WORDS = new Int32Array(FLOAT.buffer);
  FLOAT[0] = 1;
  const HIGH = WORDS[1] === 0 ? 0 : 1;

  /** 2^(i - 1074), for all powers of two that there are. */
  const POWERS = new FloatArray(2098);
  for (let at = 0, power = 5e-324; at < 2098; at++, power *= 2) POWERS[at] = power;

  const SPLIT = 134217729;

  /**
   * What is missing from the rounded product of two numbers below 2^996. Source: T. J. Dekker, "A floating-point technique for
   * extending the available precision" (Numerische Mathematik 18, 1971).
   *
   * @param {number} a
   * @param {number} b
   * @param {number} product Of both, rounded.
   */
  const residue = (a, b, product) => {
    const aWide = a * SPLIT;
    const bWide = b * SPLIT;
    const aHigh = aWide - (aWide - a);
    const bHigh = bWide - (bWide - b);
    const aLow = a - aHigh;
    const bLow = b - bHigh;
    return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  };

  const value = { LOW, FLOAT, WORDS, HIGH, POWERS, residue, functions: {} };
  Object.defineProperty(globalThis, "__math", { value, configurable: true });
})();
