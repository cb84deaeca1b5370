// How many of so many random points of a square are in its inscribed circle. The generator (xorshift32, Marsaglia
// 2003) is seeded, so that two volunteers draw the same points and can agree.
function execute({ seed, samples }, context) {
  let state = seed | 0;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  let inside = 0;
  for (let n = 0; n < samples; n++) {
    const x = random();
    const y = random();
    if (x * x + y * y < 1) inside++;
  }
  context.result = { inside, pi: (4 * inside) / samples };
  return context;
}
