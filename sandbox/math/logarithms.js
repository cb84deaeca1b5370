// Math.log, Math.log1p, Math.log2 and Math.log10, and the logarithm of which Math.pow and the inverse hyperbolic functions are
// made.
//
// x = 2^k c (1 + r), where c is one of 128 numbers whose reciprocal has 9 bits, so that r is exact: log(x) = k log(2) + log(c) +
// log(1 + r), of which the second is in a table and the third a short series.
// Sources: P. T. P. Tang, "Table-driven implementation of the logarithm function in IEEE floating-point arithmetic" (ACM TOMS
// 16, 1990); how r is parted is S. Nagy's, in Arm's Optimized Routines (math/pow.c, 2018).
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, FLOAT, WORDS, HIGH, POWERS, residue, functions } = __math;
  const { RECIPROCALS, LOGARITHMS, LOGARITHM_TAILS } = __math.tables;

  const LN2 = 0.6931471805598903;
  const LN2_TAIL = 5.497923018708371e-14;
  const SMALLEST_NORMAL = 2.2250738585072014e-308;
  // The upper half of where the first interval of the tables begins.
  const FIRST = 0x3fe69000;
  // Adding and subtracting it rounds to 20 binary places.
  const ROUNDER = 6442450944;

  /**
   * log(x + low), accurate to about 2^-68 of it. Leaves its tail in LOW.
   *
   * @param {number} x Positive and finite.
   * @param {number} low At most half a unit in the last place of x.
   */
  const logarithm = (x, low) => {
    let k = 0;
    if (x < SMALLEST_NORMAL) {
      k = -54;
      x *= 18014398509481984;
    }
    FLOAT[0] = x;
    const place = (WORDS[HIGH] - FIRST) | 0;
    const exponent = place >> 20;
    const at = (place >> 13) & 127;
    k += exponent;
    const power = POWERS[1074 - exponent];
    const z = x * power;
    const reciprocal = RECIPROCALS[at];

    const zHigh = z + ROUNDER - ROUNDER;
    const rHigh = zHigh * reciprocal - 1;
    const rRest = (z - zHigh) * reciprocal;
    const rTail = low * power * reciprocal;
    const rLow = rRest + rTail;
    const r = rHigh + rLow;

    const whole = k * LN2 + LOGARITHMS[at];
    const linear = whole + r;
    const square = -0.5 * rHigh * rHigh;
    const high = linear + square;
    const tails = k * LN2_TAIL + LOGARITHM_TAILS[at] + (rHigh - r + rLow) + (rRest - rLow + rTail);
    const rest = whole - linear + r + (linear - high + square) - 0.5 * rLow * (r + rHigh);
    const r2 = r * r;
    const series = 1 / 3 - r * 0.25 + r2 * (0.2 - r * (1 / 6) + r2 * (1 / 7 - r * 0.125));
    const tail = tails + rest + r2 * r * series;
    const value = high + tail;
    LOW[0] = high - value + tail;
    return value;
  };

  /** The same to 2^-60 and without a tail, in less time. @param {number} x Positive and finite. */
  const plainLogarithm = (x) => {
    let k = 0;
    if (x < SMALLEST_NORMAL) {
      k = -54;
      x *= 18014398509481984;
    }
    FLOAT[0] = x;
    const place = (WORDS[HIGH] - FIRST) | 0;
    const exponent = place >> 20;
    const at = (place >> 13) & 127;
    k += exponent;
    const z = x * POWERS[1074 - exponent];
    const reciprocal = RECIPROCALS[at];
    const zHigh = z + ROUNDER - ROUNDER;
    const r = zHigh * reciprocal - 1 + (z - zHigh) * reciprocal;
    const whole = k * LN2 + LOGARITHMS[at];
    const linear = whole + r;
    const tails = whole - linear + r + (k * LN2_TAIL + LOGARITHM_TAILS[at]);
    const r2 = r * r;
    const series = 1 / 3 - r * 0.25 + r2 * (0.2 - r * (1 / 6) + r2 * (1 / 7 - r * 0.125));
    return linear + (tails - r2 * 0.5 + r2 * r * series);
  };

  /** log1p for x > -1, with its tail in LOW. @param {number} x */
  const logarithmOfNext = (x) => {
    const next = 1 + x;
    return logarithm(next, x < 1 ? x - (next - 1) : 1 - (next - x));
  };

  /**
   * log(x) times a factor.
   *
   * @param {number} x
   * @param {number} factor
   * @param {number} tail What is missing from the factor.
   */
  const scaledLogarithm = (x, factor, tail) => {
    if (!(x > 0 && x < Infinity)) return ofSpecial(x);
    const natural = logarithm(x, 0);
    const product = natural * factor;
    return product + (residue(natural, factor, product) + (natural * tail + LOW[0] * factor));
  };

  /** The logarithm of what is not a positive number. @param {number} x */
  const ofSpecial = (x) => (x === 0 ? -Infinity : x === Infinity ? x : NaN);

  functions.log = {
    /** @param {number} x */
    log(x) {
      x = +x;
      return x > 0 && x < Infinity ? plainLogarithm(x) : ofSpecial(x);
    },
  }.log;

  functions.log1p = {
    /** @param {number} x */
    log1p(x) {
      x = +x;
      if (x > -1 && x < Infinity) return x === 0 ? x : logarithmOfNext(x);
      return ofSpecial(1 + x);
    },
  }.log1p;

  functions.log2 = {
    /** @param {number} x */
    log2(x) {
      return scaledLogarithm(+x, 1.4426950408889634, 2.0355273740931033e-17);
    },
  }.log2;

  functions.log10 = {
    /** @param {number} x */
    log10(x) {
      return scaledLogarithm(+x, 0.4342944819032518, 1.098319650216765e-17);
    },
  }.log10;

  __math.logarithm = logarithm;
})();
