// What is left of a number after the nearest multiple of pi/2.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { LOW, FLOAT, WORDS, HIGH, POWERS, residue } = __math;
  const BigInteger = BigInt;
  const toNumber = Number;
  const { asUintN } = BigInt;

  /** What `reduce` leaves; its tail is in LOW. */
  const REMAINDER = new Float64Array(1);

  const HALF_PI = 1.5707963267948966;
  const HALF_PI_TAIL = 6.123233995736766e-17;
  const PER_HALF_PI = 0.6366197723675814;
  // Adding and subtracting it rounds to an integer.
  const ROUNDER = 6755399441055744;
  // 2^19 pi: up to here the products of `reduce` are exact.
  const LARGE = 1647099;
  // pi/2 in parts of 33 bits, each with what comes after it.
  const FIRST = 1.5707963267341256;
  const FIRST_TAIL = 6.077100506506192e-11;
  const SECOND = 6.077100506303966e-11;
  const SECOND_TAIL = 2.0222662487959506e-21;
  const THIRD = 2.0222662487111665e-21;
  const THIRD_TAIL = 8.4784276603689e-32;
  const BIG_BITS = 1216;
  const PLACES = 190n;
  const BIG_HALF = 1n << 189n;
  const UNIT = 6.372367644529809e-58; // 2^-190
  // floor(2^1216 2/pi)
  const BIG_PER_HALF_PI = BigInteger(
    "0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73e" +
      "e88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f" +
      "463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab",
  );

  /**
   * Part a number into a multiple of pi/2 and at most half of it, which is left in REMAINDER and LOW.
   *
   * Source: W. J. Cody and W. Waite, "Software manual for the elementary functions" (1980), with the parts and the checks of
   * Sun Microsystems' fdlibm 5.3 (e_rem_pio2.c).
   *
   * @param {number} x
   * @returns {number} The multiple; its lowest two bits are right.
   */
  const reduce = (x) => {
    const size = x < 0 ? -x : x;
    if (size > LARGE) return reduceLarge(x);
    const multiple = x * PER_HALF_PI + ROUNDER - ROUNDER;
    let rest = x - multiple * FIRST;
    let tail = multiple * FIRST_TAIL;
    let value = rest - tail;
    // Where bits are lost, more of pi is subtracted.
    const left = value < 0 ? -value : value;
    if (left < size * 0.00001) {
      const before = rest;
      const product = multiple * SECOND;
      rest = before - product;
      tail = multiple * SECOND_TAIL - (before - rest - product);
      value = rest - tail;
      if (left < size * 1e-14) {
        const then = rest;
        const last = multiple * THIRD;
        rest = then - last;
        tail = multiple * THIRD_TAIL - (then - rest - last);
        value = rest - tail;
      }
    }
    REMAINDER[0] = value;
    LOW[0] = rest - value - tail;
    return multiple | 0;
  };

  /**
   * The same with as many bits of 2/pi as it takes. Source: M. H. Payne and R. N. Hanek, "Radian reduction for trigonometric
   * functions" (ACM SIGNUM Newsletter 18, 1983).
   *
   * @param {number} x
   */
  const reduceLarge = (x) => {
    FLOAT[0] = x;
    // x = integer 2^exponent
    const exponent = ((WORDS[HIGH] >>> 20) & 2047) - 1075;
    const integer = BigInteger(x * POWERS[1074 - exponent]);
    const quotient = integer * (BIG_PER_HALF_PI >> BigInteger(BIG_BITS - 190 - exponent));
    const multiple = (quotient + BIG_HALF) >> PLACES;
    const fraction = quotient - (multiple << PLACES);
    const high = toNumber(fraction);
    const rest = high * UNIT;
    const low = toNumber(fraction - BigInteger(high)) * UNIT;
    const value = rest * HALF_PI;
    const tail = residue(rest, HALF_PI, value) + (rest * HALF_PI_TAIL + low * HALF_PI);
    REMAINDER[0] = value + tail;
    LOW[0] = value - REMAINDER[0] + tail;
    return toNumber(asUintN(2, multiple));
  };

  __math.reduce = reduce;
  __math.REMAINDER = REMAINDER;
})();
