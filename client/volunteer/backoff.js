/** An answer may ask for any wait; a volunteer that is told to come back next year looks in before. */
const LONGEST_HINT_SECONDS = 3_600;

/**
 * How long to wait before asking again: exponential with full jitter, so that volunteers who were turned away together
 * don't come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export class Backoff {
  #failures = 0;

  /** @param {{firstMs?: number, longestMs?: number}} [limits] */
  constructor({ firstMs = 500, longestMs = 30_000 } = {}) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  #firstMs;
  #longestMs;

  /** ms to wait after one more failure; never fewer than the pool asked for. @param {number} [seconds] what it asked for, up to an hour */
  afterFailure(seconds = 0) {
    const ceiling = this.#firstMs * 2 ** this.#failures;
    if (ceiling < this.#longestMs) this.#failures++;
    return 1_000 * Math.min(seconds, LONGEST_HINT_SECONDS) + this.#within(ceiling);
  }

  /** ms to wait where the pool asked to come back in about so many seconds. @param {number} seconds */
  whenIdle(seconds) {
    this.reset();
    return this.#within(2_000 * seconds);
  }

  reset() {
    this.#failures = 0;
  }

  /** @param {number} ceilingMs */
  #within(ceilingMs) {
    return Math.max(50, Math.random() * Math.min(ceilingMs, this.#longestMs));
  }
}
