// How long functions of Math take, and the same functions of `own`: nanoseconds a call, as JSON.
(() => {
  const { own, milliseconds } = /** @type {any} */ (globalThis);
  const COUNT = 4096;
  const ROUNDS = 5;
  let state = 1;

  // D. H. Lehmer's generator with the factor 48271.
  const unit = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const within = (most) => () => (unit() * 2 - 1) * most;
  const sizes = (least, most) => () => 10 ** (least + unit() * (most - least));
  const signed = (draw) => () => (unit() < 0.5 ? draw() : -draw());

  // What jobs call them with, mostly.
  const ARGUMENTS = {
    exp: [within(20)],
    log: [sizes(-4, 4)],
    sin: [within(100)],
    cos: [within(100)],
    pow: [sizes(-1, 1), within(10)],
    expm1: [within(5)],
    log1p: [sizes(-4, 2)],
    log2: [sizes(-4, 4)],
    log10: [sizes(-4, 4)],
    tan: [within(100)],
    asin: [within(1)],
    acos: [within(1)],
    atan: [signed(sizes(-2, 2))],
    atan2: [within(10), within(10)],
    sinh: [within(10)],
    cosh: [within(10)],
    tanh: [within(5)],
    asinh: [within(50)],
    acosh: [() => 1 + unit() * 50],
    atanh: [within(1)],
    cbrt: [signed(sizes(-4, 4))],
    hypot: [within(10), within(10)],
  };

  /** Each has a loop of its own, in which it can be inlined. */
  const loopOf = (call, arity) =>
    Function(
      "call",
      `return (times, a, b) => {
        let sum = 0;
        for (let time = 0; time < times; time++) {
          for (let at = 0; at < ${COUNT}; at++) sum += call(a[at]${arity === 2 ? ", b[at]" : ""});
        }
        return sum;
      }`,
    )(call);

  const elapsed = (loop, times, lists) => {
    const began = Date.now();
    loop(times, ...lists);
    return Date.now() - began;
  };

  /** The lesser of two, since others also use the machine. */
  const lesser = (loop, times, lists) => Math.min(elapsed(loop, times, lists), elapsed(loop, times, lists));

  const nanoseconds = (name) => {
    const lists = ARGUMENTS[name].map((draw) => Float64Array.from({ length: COUNT }, draw));
    const loops = [own[name], Math[name]].map((call) => loopOf(call, lists.length));
    const times = loops.map((loop) => {
      let count = 4;
      while (lesser(loop, count, lists) < milliseconds) count *= 2;
      return count;
    });
    // In turns, so that both have the machine's good moments.
    const least = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      loops.forEach((loop, at) => {
        least[at] = Math.min(least[at], Math.max(1, elapsed(loop, times[at], lists)) / times[at]);
      });
    }
    return least.map((time) => (time / COUNT) * 1e6);
  };

  return JSON.stringify(Object.fromEntries(Object.keys(ARGUMENTS).map((name) => [name, nanoseconds(name)])));
})();
