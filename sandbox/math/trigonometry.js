// Math.sin, Math.cos and Math.tan: what is left of a number after multiples of pi/2 (reduction.js), and polynomials for that.
//
// Source: Sun Microsystems' fdlibm 5.3 (k_sin.c, k_cos.c, k_tan.c), whose minimax polynomials these are.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, reduce, residue, functions } = __math;
  const { REMAINDER } = __math;

  const QUARTER = 0.7853981633974483;

  /** sin(x + low). @param {number} x At most pi/4. @param {number} low */
  const sine = (x, low) => {
    const z = x * x;
    const w = z * z;
    const r =
      8.33333333332248946124e-3 +
      z * (-1.98412698298579493134e-4 + z * 2.75573137070700676789e-6) +
      z * w * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
    const cube = z * x;
    return x - (z * (0.5 * low - cube * r) - low + cube * 1.66666666666666324348e-1);
  };

  /** cos(x + low). @param {number} x At most pi/4. @param {number} low */
  const cosine = (x, low) => {
    const z = x * x;
    const w = z * z;
    const r =
      z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5)) +
      w * w * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11));
    const half = 0.5 * z;
    const value = 1 - half;
    return value + (1 - value - half + (z * r - x * low));
  };

  functions.sin = {
    /** @param {number} x */
    sin(x) {
      x = +x;
      if (x <= QUARTER && x >= -QUARTER) return x === 0 ? x : sine(x, 0);
      if (!(x - x === 0)) return NaN;
      const quadrant = reduce(x);
      const value = quadrant & 1 ? cosine(REMAINDER[0], LOW[0]) : sine(REMAINDER[0], LOW[0]);
      return quadrant & 2 ? -value : value;
    },
  }.sin;

  functions.cos = {
    /** @param {number} x */
    cos(x) {
      x = +x;
      if (x <= QUARTER && x >= -QUARTER) return cosine(x, 0);
      if (!(x - x === 0)) return NaN;
      const quadrant = reduce(x);
      const value = quadrant & 1 ? sine(REMAINDER[0], LOW[0]) : cosine(REMAINDER[0], LOW[0]);
      return (quadrant + 1) & 2 ? -value : value;
    },
  }.cos;

  /**
   * The sine of x + low divided by its cosine, or the negative inverse of that, with tails of all three.
   *
   * @param {number} x At most pi/4.
   * @param {number} low
   * @param {boolean} inverts
   */
  const tangent = (x, low, inverts) => {
    const z = x * x;
    const w = z * z;
    const sineRest =
      8.33333333332248946124e-3 +
      z * (-1.98412698298579493134e-4 + z * 2.75573137070700676789e-6) +
      z * w * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
    const sineTail = z * x * (z * sineRest - 1.66666666666666324348e-1) + low * (1 - 0.5 * z);
    const cosineRest =
      z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5)) +
      w * w * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11));
    const half = 0.5 * z;
    const one = 1 - half;
    const oneTail = 1 - one - half - 0.5 * residue(x, x, z) + (z * cosineRest - x * low);

    const s = x + sineTail;
    const sTail = x - s + sineTail;
    const c = one + oneTail;
    const cTail = one - c + oneTail;
    const dividend = inverts ? -c : s;
    const dividendTail = inverts ? -cTail : sTail;
    const divisor = inverts ? s : c;
    const divisorTail = inverts ? sTail : cTail;
    const quotient = dividend / divisor;
    const product = quotient * divisor;
    const rest = dividend - product - residue(quotient, divisor, product);
    return quotient + (rest + dividendTail - quotient * divisorTail) / divisor;
  };

  functions.tan = {
    /** @param {number} x */
    tan(x) {
      x = +x;
      if (x <= QUARTER && x >= -QUARTER) return x < 1e-8 && x > -1e-8 ? x : tangent(x, 0, false);
      if (!(x - x === 0)) return NaN;
      const quadrant = reduce(x);
      return tangent(REMAINDER[0], LOW[0], (quadrant & 1) === 1);
    },
  }.tan;
})();
