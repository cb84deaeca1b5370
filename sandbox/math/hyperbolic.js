// The hyperbolic functions and their inverses: Taylor's series near 0, and exponentials and logarithms with tails elsewhere.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, residue, scaledExponential, logarithm, functions } = __math;
  const { sqrt } = Math;

  const OVERFLOW = 710.4758600739439;
  // From here on, exp(-x) is less than half a unit in the last place of exp(x).
  const ONE_SIDED = 22;
  // From here on, x^2 + 1 is x^2.
  const LARGE = 268435456;
  const LN2 = 0.6931471805599453;

  /** Half of exp(x), for x >= ONE_SIDED. @param {number} x */
  const halfExponential = (x) => (x > OVERFLOW ? Infinity : scaledExponential(x, 0, -2) * 2);

  /**
   * The root of high + low, with its tail in LOW.
   *
   * @param {number} high Positive.
   * @param {number} low
   */
  const rootOf = (high, low) => {
    const root = sqrt(high);
    const square = root * root;
    LOW[0] = (high - square - residue(root, root, square) + low) / (2 * root);
    return root;
  };

  /** log(2x), for x >= LARGE. @param {number} x */
  const logarithmOfDouble = (x) => {
    const value = logarithm(x, 0);
    return value + (LN2 + LOW[0]);
  };

  /** sinh x, for |x| <= 1/8. @param {number} x */
  const smallSine = (x) => {
    const s = x * x;
    return x + x * s * (1 / 6 + s * (1 / 120 + s * (1 / 5040 + s * (1 / 362880 + s * (1 / 39916800)))));
  };

  /** tanh x, for |x| <= 1/8. @param {number} x */
  const smallTangent = (x) => {
    const s = x * x;
    const last = -1382 / 155925 + s * (21844 / 6081075 + s * (-929569 / 638512875 + s * (6404582 / 10854718875)));
    return x - x * s * (1 / 3 - s * (2 / 15 - s * (17 / 315 - s * (62 / 2835 + s * last))));
  };

  /** asinh x, for |x| <= 1/8. @param {number} x */
  const smallSineInverse = (x) => {
    const s = x * x;
    const last = 231 / 13312 - s * (143 / 10240 - s * (6435 / 557056 - s * (12155 / 1245184 - s * (46189 / 5505024))));
    const first = 1 / 6 - s * (3 / 40 - s * (5 / 112 - s * (35 / 1152 - s * (63 / 2816 - s * last))));
    return x - x * s * first;
  };

  /** atanh x, for |x| <= 1/8. @param {number} x */
  const smallTangentInverse = (x) => {
    const s = x * x;
    const last = 1 / 13 + s * (1 / 15 + s * (1 / 17 + s * (1 / 19 + s * (1 / 21))));
    return x + x * s * (1 / 3 + s * (0.2 + s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s * last)))));
  };

  functions.sinh = {
    /** @param {number} x */
    sinh(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size <= 0.125) return x === 0 ? x : smallSine(x);
      if (!(size < ONE_SIDED)) return x < 0 ? -halfExponential(size) : halfExponential(size);
      const growing = scaledExponential(size, 0, -1);
      const tail = LOW[0];
      const falling = scaledExponential(-size, 0, -1);
      const value = growing - falling;
      const sine = value + (growing - value - falling + (tail - LOW[0]));
      return x < 0 ? -sine : sine;
    },
  }.sinh;

  functions.cosh = {
    /** @param {number} x */
    cosh(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (!(size < ONE_SIDED)) return halfExponential(size);
      const growing = scaledExponential(size, 0, -1);
      const tail = LOW[0];
      const falling = scaledExponential(-size, 0, -1);
      const value = growing + falling;
      return value + (growing - value + falling + (tail + LOW[0]));
    },
  }.cosh;

  functions.tanh = {
    /** @param {number} x */
    tanh(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size <= 0.125) return x === 0 ? x : smallTangent(x);
      if (!(size < ONE_SIDED)) return size >= ONE_SIDED ? (x < 0 ? -1 : 1) : NaN;
      // 1 - 2 / (exp(2 x) + 1)
      const power = scaledExponential(2 * size, 0, 0);
      const divisor = power + 1;
      const tail = power - divisor + 1 + LOW[0];
      const quotient = 2 / divisor;
      const product = quotient * divisor;
      const missing = (2 - product - residue(quotient, divisor, product) - quotient * tail) / divisor;
      const value = 1 - quotient;
      const tangent = value + (1 - value - quotient - missing);
      return x < 0 ? -tangent : tangent;
    },
  }.tanh;

  /** log(x + sqrt(x^2 + 1)), for 1/8 < x < LARGE. @param {number} x */
  const sineInverse = (x) => {
    const square = x * x;
    const sum = square + 1;
    const low = x < 1 ? 1 - sum + square : square - sum + 1;
    const root = rootOf(sum, low + residue(x, x, square));
    const base = root + x;
    return logarithm(base, root - base + x + LOW[0]);
  };

  functions.asinh = {
    /** @param {number} x */
    asinh(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size <= 0.125) return x === 0 ? x : smallSineInverse(x);
      if (!(size < Infinity)) return x;
      const value = size < LARGE ? sineInverse(size) : logarithmOfDouble(size);
      return x < 0 ? -value : value;
    },
  }.asinh;

  functions.acosh = {
    /** @param {number} x */
    acosh(x) {
      x = +x;
      if (!(x > 1 && x < LARGE)) return x < Infinity ? (x >= LARGE ? logarithmOfDouble(x) : x === 1 ? 0 : NaN) : x;
      const square = x * x;
      const difference = square - 1;
      const root = rootOf(difference, square - difference - 1 + residue(x, x, square));
      const base = x + root;
      return logarithm(base, x - base + root + LOW[0]);
    },
  }.acosh;

  functions.atanh = {
    /** @param {number} x */
    atanh(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size <= 0.125) return x === 0 ? x : smallTangentInverse(x);
      if (!(size < 1)) return size === 1 ? x * Infinity : NaN;
      const dividend = 1 + size;
      const divisor = 1 - size;
      const quotient = dividend / divisor;
      const product = quotient * divisor;
      const tails = size - (dividend - 1) - quotient * (1 - divisor - size);
      const value =
        0.5 * logarithm(quotient, (dividend - product - residue(quotient, divisor, product) + tails) / divisor);
      return x < 0 ? -value : value;
    },
  }.atanh;
})();
