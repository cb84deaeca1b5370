// Number.prototype.toString with a radix, of which ECMAScript asks no more than that it is near: engines give other digits.
//
// Source of the algorithm: V8's DoubleToRadixCString (src/numbers/conversions.cc), which ends where the digits tell the number
// from its neighbours. Large integers have all their digits.
(() => {
  "use strict";

  const { __math } = /** @type {any} */ (globalThis);
  const { FLOAT, WORDS, HIGH, POWERS } = __math;
  const { apply } = Reflect;
  const { floor } = Math;
  const { toString, valueOf } = Number.prototype;
  const BigInteger = BigInt;
  const { toString: toBigString } = BigInt.prototype;

  const NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz";
  const EXACT = 9007199254740992;
  const DIGITS = new Uint8Array(1100);

  /** Leaves the digits of a fraction in DIGITS. Returns how many, or -1 for a fraction that is rounded to 1. */
  const digitsOf = (/** @type {number} */ value, /** @type {number} */ whole, /** @type {number} */ radix) => {
    FLOAT[0] = value;
    const exponent = (WORDS[HIGH] >> 20) & 2047;
    let near = exponent < 3 ? 5e-324 : POWERS[exponent - 2];
    let fraction = value - whole;
    let count = 0;
    while (fraction >= near) {
      fraction *= radix;
      near *= radix;
      const digit = floor(fraction);
      DIGITS[count++] = digit;
      fraction -= digit;
      if ((fraction > 0.5 || (fraction === 0.5 && digit % 2 === 1)) && fraction + near > 1) {
        while (count > 0 && DIGITS[count - 1] === radix - 1) count--;
        if (count === 0) return -1;
        DIGITS[count - 1]++;
        return count;
      }
    }
    return count;
  };

  /** @param {number} value 0 or more, and below EXACT. @param {number} radix */
  const numeralOf = (value, radix) => {
    let whole = floor(value);
    const count = digitsOf(value, whole, radix);
    if (count < 0) whole += 1;
    let text = "";
    do {
      const digit = whole % radix;
      text = NUMERALS[digit] + text;
      whole = (whole - digit) / radix;
    } while (whole > 0);
    if (count > 0) text += ".";
    for (let at = 0; at < count; at++) text += NUMERALS[DIGITS[at]];
    return text;
  };

  __math.toString = {
    /** @this {unknown} @param {unknown} radix */
    toString(radix) {
      const value = typeof this === "number" ? this : apply(valueOf, this, []);
      const places = radix === undefined ? 10 : +(/** @type {number} */ (radix));
      const size = value < 0 ? -value : value;
      // Those the engine has right, or refuses.
      const isExact = (size < EXACT && floor(size) === size) || !(size < Infinity);
      if (isExact || !(places >= 2 && places < 37) || floor(places) === 10) return apply(toString, value, [places]);
      if (size >= EXACT) return apply(toBigString, BigInteger(value), [places]);
      return (value < 0 ? "-" : "") + numeralOf(size, floor(places));
    },
  }.toString;
})();
