// Math.pow, Math.cbrt and Math.hypot.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, FLOAT, WORDS, HIGH, POWERS, residue, logarithm, exponential, functions } = __math;
  const { floor, sqrt } = Math;
  const FloatArray = Float64Array;

  const HUGE_EXPONENT = 36893488147419103232;
  const TINY_EXPONENT = 2.710505431213761e-20;

  /**
   * exp(y log(x)).
   *
   * @param {number} x Positive and finite.
   * @param {number} y Between TINY_EXPONENT and HUGE_EXPONENT, or the same below 0.
   */
  const powerOfPositive = (x, y) => {
    const base = logarithm(x, 0);
    const tail = LOW[0];
    const product = base * y;
    return exponential(product, residue(base, y, product) + tail * y);
  };

  /** The rest of Number::exponentiate (ECMA-262, section 6.1.6.1.3). @param {number} x @param {number} y */
  const specialPower = (x, y) => {
    if (y === 0) return 1;
    const size = x < 0 ? -x : x;
    if (!(size <= Infinity && y <= Infinity && y >= -Infinity)) return NaN;
    if (y === Infinity || y === -Infinity) return size === 1 ? NaN : size > 1 === y > 0 ? Infinity : 0;
    const isInteger = floor(y) === y;
    const isNegative = isInteger && (x < 0 || 1 / x < 0) && floor(y / 2) !== y / 2;
    if (size === 0 || size === Infinity) {
      const value = size > 0 === y > 0 ? Infinity : 0;
      return isNegative ? -value : value;
    }
    if (x < 0 && !isInteger) return NaN;
    const value = powerOfSize(size, y);
    return isNegative ? -value : value;
  };

  /** @param {number} x Positive and finite. @param {number} y Finite. */
  const powerOfSize = (x, y) => {
    if (x === 1 || (y < TINY_EXPONENT && y > -TINY_EXPONENT)) return 1;
    if (y < HUGE_EXPONENT && y > -HUGE_EXPONENT) return powerOfPositive(x, y);
    return x > 1 === y > 0 ? Infinity : 0;
  };

  functions.pow = {
    /** @param {number} x @param {number} y */
    pow(x, y) {
      x = +x;
      y = +y;
      const size = y < 0 ? -y : y;
      if (x > 0 && x < Infinity && size > TINY_EXPONENT && size < HUGE_EXPONENT) return powerOfPositive(x, y);
      return specialPower(x, y);
    },
  }.pow;

  functions.cbrt = {
    /**
     * A guess by a minimax polynomial, a step of Halley's method, and one of Newton's with the exact remainder.
     *
     * @param {number} x
     */
    cbrt(x) {
      x = +x;
      if (x === 0 || !(x - x === 0)) return x;
      FLOAT[0] = x < 0 ? -x : x;
      let shift = 0;
      if (WORDS[HIGH] < 0x00100000) {
        FLOAT[0] *= 18014398509481984;
        shift = -18;
      }
      // The exponent, made positive, by 3.
      const third = ((((WORDS[HIGH] >> 20) + 1977) / 3) | 0) - 1000;
      const z = FLOAT[0] * POWERS[1074 - 3 * third];
      const guess =
        0.6272947369 + z * (0.4491937143 + z * (-0.08377507325 + z * (0.009583818305 - z * 0.0004321008121)));
      const guessCube = guess * guess * guess;
      const root = guess * ((guessCube + 2 * z) / (2 * guessCube + z));
      const square = root * root;
      const cube = square * root;
      const rest = cube - z + residue(square, root, cube) + residue(root, root, square) * root;
      const slope = 1 / (3 * square);
      const step = rest * slope;
      const value = (root - (step + 3 * step * step * slope * root)) * POWERS[third + shift + 1074];
      return x < 0 ? -value : value;
    },
  }.cbrt;

  /**
   * The root of a sum of squares which is neither too large nor too small.
   *
   * @param {number} sum
   * @param {number} tail What is missing from the sum.
   */
  const rootOf = (sum, tail) => {
    const root = sqrt(sum);
    const square = root * root;
    return root + (sum - square - residue(root, root, square) + tail) / (2 * root);
  };

  /**
   * The sum of squares with twice the digits, of numbers scaled by the power of two which suits the largest.
   *
   * @param {ArrayLike<number>} sizes Finite.
   * @param {number} count How many.
   * @param {number} largest Of them; more than 0.
   */
  const lengthOf = (sizes, count, largest) => {
    FLOAT[0] = largest;
    const exponent = (WORDS[HIGH] >> 20) - 1023;
    const shift = exponent < -1000 ? -1022 : exponent > 1020 ? 1020 : exponent;
    const scale = POWERS[1074 - shift];
    let sum = 0;
    let tail = 0;
    for (let at = 0; at < count; at++) {
      const size = sizes[at] * scale;
      const square = size * size;
      const next = sum + square;
      const added = next - sum;
      tail += sum - (next - added) + (square - added) + residue(size, size, square);
      sum = next;
    }
    const total = sum + tail;
    return rootOf(total, sum - total + tail) * POWERS[shift + 1074];
  };

  /** Math.hypot of any number of arguments. @param {ArrayLike<unknown>} given */
  const lengthOfAll = (given) => {
    const count = given.length;
    const sizes = new FloatArray(count);
    let largest = 0;
    let isInfinite = false;
    let isNumber = true;
    for (let at = 0; at < count; at++) {
      const value = +(/** @type {number} */ (given[at]));
      const size = value < 0 ? -value : value;
      sizes[at] = size;
      if (size === Infinity) isInfinite = true;
      else if (size > largest) largest = size;
      else if (!(size <= largest)) isNumber = false;
    }
    if (isInfinite) return Infinity;
    if (!isNumber) return NaN;
    return largest === 0 ? 0 : lengthOf(sizes, count, largest);
  };

  functions.hypot = {
    /** @param {number} x @param {number} y */
    hypot(x, y) {
      if (arguments.length !== 2) return lengthOfAll(arguments);
      x = +x;
      y = +y;
      const a = x < 0 ? -x : x;
      const b = y < 0 ? -y : y;
      if (!(a < 1e150 && b < 1e150 && (a > 1e-140 || b > 1e-140))) return lengthOfAll([a, b]);
      const aSquare = a * a;
      const bSquare = b * b;
      const sum = aSquare + bSquare;
      const tail = a > b ? aSquare - sum + bSquare : bSquare - sum + aSquare;
      return rootOf(sum, tail + residue(a, a, aSquare) + residue(b, b, bSquare));
    },
  }.hypot;
})();
