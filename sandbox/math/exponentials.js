// Math.exp and Math.expm1, and the exponential of which the hyperbolic functions and Math.pow are made.
//
// x = k ln 2 / 128 + r, and exp(x) = 2^(k / 128) exp(r), of which the first is in a table and the second a short series.
// Source: P. T. P. Tang, "Table-driven implementation of the exponential function in IEEE floating-point arithmetic" (ACM TOMS
// 15, 1989).
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, POWERS, functions } = __math;
  const { ROOTS, ROOT_TAILS } = __math.tables;

  const STEPS_PER_UNIT = 184.6649652337873;
  const STEP = 0.005415212347998022;
  const STEP_TAIL = 1.2655086083325438e-13;
  // Adding and subtracting it rounds to an integer.
  const ROUNDER = 6755399441055744;
  const OVERFLOW = 709.782712893384;
  const UNDERFLOW = -745.1332191019412;

  /**
   * exp(high + low) 2^shift, which has to be a normal number. Leaves its tail in LOW.
   *
   * @param {number} high
   * @param {number} low At most 2^-10 of a unit.
   * @param {number} shift
   */
  const scaledExponential = (high, low, shift) => {
    const steps = high * STEPS_PER_UNIT + ROUNDER - ROUNDER;
    const r = high - steps * STEP - (steps * STEP_TAIL - low);
    const k = steps | 0;
    const root = ROOTS[k & 127];
    const square = r * r;
    const series = square * (0.5 + r * (1 / 6) + square * (1 / 24 + r * (1 / 120) + square * (1 / 720)));
    const growth = root * (ROOT_TAILS[k & 127] + series + r);
    const value = root + growth;
    const power = POWERS[(k >> 7) + shift + 1074];
    LOW[0] = (growth - (value - root)) * power;
    return value * power;
  };

  /** exp(high + low) of any sum. @param {number} high @param {number} low */
  const exponential = (high, low) => {
    if (high < 709 && high > -708) return scaledExponential(high, low, 0);
    if (high >= 709) return high > 710 ? Infinity : scaledExponential(high, low, -1) * 2;
    if (high < -746) return 0;
    return scaledExponential(high, low, 64) * 5.421010862427522e-20;
  };

  /** The series of exp(x) - 1, for |x| <= 1/8. @param {number} x */
  const smallGrowth = (x) => {
    const square = x * x;
    const first = 1 / 6 + x * (1 / 24) + square * (1 / 120 + x * (1 / 720));
    const last = 1 / 5040 + x * (1 / 40320) + square * (1 / 362880 + x * (1 / 3628800) + square * (1 / 39916800));
    return x + (square * 0.5 + square * x * (first + square * square * last));
  };

  functions.exp = {
    /** @param {number} x */
    exp(x) {
      x = +x;
      if (x < 709 && x > -708) return scaledExponential(x, 0, 0);
      if (x > OVERFLOW) return Infinity;
      if (x < UNDERFLOW) return 0;
      return x <= OVERFLOW ? exponential(x, 0) : NaN;
    },
  }.exp;

  functions.expm1 = {
    /** @param {number} x */
    expm1(x) {
      x = +x;
      if (x <= 0.125 && x >= -0.125) return x === 0 ? x : smallGrowth(x);
      if (x < -38) return -1;
      if (!(x < 56)) return x > OVERFLOW ? Infinity : exponential(x, 0);
      const power = scaledExponential(x, 0, 0);
      const value = power - 1;
      return value + ((x > 0 ? power - value - 1 : power - (value + 1)) + LOW[0]);
    },
  }.expm1;

  __math.scaledExponential = scaledExponential;
  __math.exponential = exponential;
})();
