// A digest of many thousands of values of each function of Math, for engines to be compared by.
(() => {
  const COUNT = 20000;
  const ONE = "exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh cbrt";
  // ECMAScript defines these to the last bit.
  const EXACT = "abs ceil clz32 floor fround imul max min round sign sqrt trunc";
  const floats = new Float64Array(1);
  const words = new Uint32Array(floats.buffer);
  let state = 0;

  // G. Marsaglia, "Xorshift RNGs" (Journal of Statistical Software 8, 2003).
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };

  // Any bits at all, and numbers of the sizes that most functions have most to do with.
  const argument = (at) => {
    words[0] = random();
    words[1] = random();
    const any = floats[0];
    const unit = random() / 4294967296;
    return [any, unit * 2 - 1, (unit - 0.5) * 80, (unit - 0.5) * 1500, 1 + unit * 1e-3, (unit - 0.5) * 1e7][at % 6];
  };

  const digest = (call) => {
    state = 2463534242;
    let [high, low] = [0, 0];
    for (let at = 0; at < COUNT; at++) {
      floats[0] = call(at);
      if (Number.isNaN(floats[0])) [words[0], words[1]] = [0, 2146959360];
      high = Math.imul(high ^ words[1], 0x01000193) + low;
      low = Math.imul(low ^ words[0], 0x85ebca6b) + (high >>> 15);
    }
    return `${(high >>> 0).toString(16)}-${(low >>> 0).toString(16)}`;
  };

  const digests = {};
  for (const name of ONE.split(" ")) digests[name] = digest((at) => Math[name](argument(at)));
  for (const name of `pow atan2 hypot ${EXACT}`.split(" ")) {
    digests[name] = digest((at) => Math[name](argument(at), argument(Math.floor(at / 6))));
  }
  digests.hypots = digest((at) => Math.hypot(argument(at), argument(at + 1), argument(at + 2)));
  // How digits of text look, as a number.
  const codes = (text) => {
    let sum = 0;
    for (let at = 0; at < text.length; at++) sum = Math.imul(sum, 31) + text.charCodeAt(at);
    return sum;
  };
  digests.radix = digest((at) => codes(argument(at).toString(2 + (at % 35))));
  digests.decimal = digest((at) => codes(String(argument(at)) + argument(at + 1).toExponential(at % 40)));
  const power = Function("a", "b", "let c = a; c **= b; return c === a ** b ? c : NaN");
  digests.operator = digest((at) => power(argument(at), argument(Math.floor(at / 6))));
  return JSON.stringify(digests);
})();
