// Math.asin, Math.acos, Math.atan and Math.atan2.
//
// Source of the rational approximations: Sun Microsystems' fdlibm 5.3 (e_asin.c, s_atan.c).
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { residue, functions } = __math;
  const { fround, sqrt } = Math;

  const PI = 3.141592653589793;
  const PI_TAIL = 1.2246467991473532e-16;
  const HALF_PI = 1.5707963267948966;
  const HALF_PI_TAIL = 6.123233995736766e-17;
  const QUARTER_PI = 0.7853981633974483;
  const QUARTER_PI_TAIL = 3.061616997868383e-17;
  const THREE_QUARTERS_PI = 2.356194490192345;

  /** (asin(x) - x) / x. @param {number} z The square of x, at most 1/4. */
  const arcRest = (z) => {
    const p =
      1.66666666666666657415e-1 +
      z *
        (-3.25565818622400915405e-1 +
          z *
            (2.01212532134862925881e-1 +
              z * (-4.00555345006794114027e-2 + z * (7.91534994289814532176e-4 + z * 3.4793310759602116757e-5))));
    const q =
      1 +
      z *
        (-2.40339491173441421878 +
          z * (2.02094576023350569471 + z * (-6.8828397160545329303e-1 + z * 7.70381505559019352791e-2)));
    return (z * p) / q;
  };

  functions.asin = {
    /** @param {number} x */
    asin(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size <= 0.5) return x === 0 ? x : x + x * arcRest(x * x);
      if (!(size <= 1)) return NaN;
      const z = (1 - size) * 0.5;
      const root = sqrt(z);
      const high = fround(root);
      const low = root === 0 ? 0 : (z - high * high) / (root + high);
      const rest = 2 * (root * arcRest(z) + low) - HALF_PI_TAIL;
      const value = HALF_PI - 2 * high - rest;
      return x < 0 ? -value : value;
    },
  }.asin;

  functions.acos = {
    /** @param {number} x */
    acos(x) {
      x = +x;
      if (x <= 0.5 && x >= -0.5) return HALF_PI - (x - (HALF_PI_TAIL - x * arcRest(x * x)));
      if (!(x <= 1 && x >= -1)) return NaN;
      const z = (1 - (x < 0 ? -x : x)) * 0.5;
      const root = sqrt(z);
      const high = fround(root);
      const low = root === 0 ? 0 : (z - high * high) / (root + high);
      const rest = root * arcRest(z) + low;
      return x < 0 ? PI - 2 * high - (2 * rest - PI_TAIL) : 2 * (high + rest);
    },
  }.acos;

  /** (x - atan(x)) / x. @param {number} x At most 7/16. */
  const tangentRest = (x) => {
    const z = x * x;
    const w = z * z;
    const even =
      3.33333333333329318027e-1 +
      w *
        (1.42857142725034663711e-1 +
          w *
            (9.09088713343650656196e-2 +
              w * (6.66107313738753120669e-2 + w * (4.97687799461593236017e-2 + w * 1.62858201153657823623e-2))));
    const odd =
      -1.99999999998764832476e-1 +
      w *
        (-1.1111110405462355788e-1 +
          w * (-7.69187620504482999495e-2 + w * (-5.83357013379057348645e-2 + w * -3.6531572744216915527e-2)));
    return z * (even + z * odd);
  };

  /**
   * base + atan(dividend / divisor), at most 7/16, with the tails of all.
   *
   * @param {number} base
   * @param {number} baseTail
   * @param {number} dividend
   * @param {number} dividendTail
   * @param {number} divisor
   * @param {number} divisorTail
   */
  const arcOf = (base, baseTail, dividend, dividendTail, divisor, divisorTail) => {
    const quotient = dividend / divisor;
    const product = quotient * divisor;
    const rest = dividend - product - residue(quotient, divisor, product) + (dividendTail - quotient * divisorTail);
    const tail = rest / (divisor * (1 + quotient * quotient)) - quotient * tangentRest(quotient);
    const value = base + quotient;
    return value + (base - value + quotient + (tail + baseTail));
  };

  /**
   * The angle of a point of the first quadrant, or of its mirror image in the second.
   *
   * @param {number} y More than 0.
   * @param {number} x More than 0.
   * @param {boolean} mirrored
   */
  const angleOf = (y, x, mirrored) => {
    if (y < 0.4 * x) return mirrored ? arcOf(PI, PI_TAIL, -y, 0, x, 0) : arcOf(0, 0, y, 0, x, 0);
    if (x < 0.4 * y) return arcOf(HALF_PI, HALF_PI_TAIL, mirrored ? x : -x, 0, y, 0);
    const difference = y - x;
    const sum = y + x;
    const differenceTail = y > x ? y - difference - x : y - (difference + x);
    const sumTail = y > x ? y - sum + x : x - sum + y;
    return mirrored
      ? arcOf(THREE_QUARTERS_PI, 3 * QUARTER_PI_TAIL, -difference, -differenceTail, sum, sumTail)
      : arcOf(QUARTER_PI, QUARTER_PI_TAIL, difference, differenceTail, sum, sumTail);
  };

  functions.atan = {
    /** @param {number} x */
    atan(x) {
      x = +x;
      const size = x < 0 ? -x : x;
      if (size < 0.4) return x === 0 ? x : x - x * tangentRest(x);
      if (!(size < 1e17)) return size >= 1e17 ? (x < 0 ? -HALF_PI : HALF_PI) : NaN;
      const value = angleOf(size, 1, false);
      return x < 0 ? -value : value;
    },
  }.atan;

  /** The angle of a point with a coordinate that is 0, infinite or NaN. @param {number} y @param {number} x */
  const specialAngle = (y, x) => {
    if (!(x <= Infinity || x >= -Infinity) || !(y <= Infinity || y >= -Infinity)) return NaN;
    const isLeft = x < 0 || (x === 0 && 1 / x < 0);
    if (y === 0) return isLeft ? PI : 0;
    if (x === 0) return HALF_PI;
    if (y === Infinity) return x === Infinity ? QUARTER_PI : x === -Infinity ? THREE_QUARTERS_PI : HALF_PI;
    return isLeft ? PI : 0;
  };

  /** The angle of a point, by its coordinates' sizes, where one is too large or too small for a quotient with a tail. */
  const extremeAngle = (/** @type {number} */ y, /** @type {number} */ x, /** @type {boolean} */ mirrored) => {
    const scale = y > 1e50 || x > 1e50 ? 2.409919865102884e-181 : 4.149515568880993e180;
    const high = y * scale;
    const wide = x * scale;
    if (wide > high * 1e40) return mirrored ? PI : y / x;
    if (high > wide * 1e40) return HALF_PI;
    return angleOf(high, wide, mirrored);
  };

  functions.atan2 = {
    /** @param {number} y @param {number} x */
    atan2(y, x) {
      y = +y;
      x = +x;
      const isBelow = y < 0 || (y === 0 && 1 / y < 0);
      const high = y < 0 ? -y : y;
      const wide = x < 0 ? -x : x;
      let angle;
      if (high < 1e100 && high > 1e-100 && wide < 1e100 && wide > 1e-100) angle = angleOf(high, wide, x < 0);
      else if (high > 0 && high < Infinity && wide > 0 && wide < Infinity) angle = extremeAngle(high, wide, x < 0);
      else angle = specialAngle(high, x);
      return isBelow ? -angle : angle;
    },
  }.atan2;
})();
