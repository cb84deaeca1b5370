/**
 * Time that goes on while the tab is hidden. Browsers slow a hidden page's own timers down to one a minute, which is
 * too late for a lease's heartbeat; those of a worker run on.
 */

const LONGEST_MS = 2 ** 31 - 1;
const STEP_MS = 1_000;

/** @type {{createScriptURL(url: string): any}} */
const trusted = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("comp-pool", {
  createScriptURL: (/** @type {string} */ url) => url,
}) ?? { createScriptURL: (/** @type {string} */ url) => url };

class Clock {
  #worker = new Worker(trusted.createScriptURL(new URL("clock-worker.js", import.meta.url).href));
  #next = 0;
  /** @type {Map<number, () => void>} */
  #waiting = new Map();

  constructor() {
    this.#worker.onmessage = ({ data: number }) => {
      const wake = this.#waiting.get(number);
      this.#waiting.delete(number);
      wake?.();
    };
  }

  /**
   * Until so much time has passed in which the machine was awake: while it sleeps, nothing can be computed.
   *
   * @param {number} ms
   * @param {AbortSignal} [signal] Rejects with its reason.
   */
  async sleepAwake(ms, signal) {
    for (let left = ms; left > 0; left -= STEP_MS) await this.sleep(Math.min(left, STEP_MS), signal);
  }

  /**
   * @param {number} ms
   * @param {AbortSignal} [signal] Rejects with its reason.
   * @returns {Promise<void>}
   */
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const number = this.#next++;
      const give = () => {
        this.#waiting.delete(number);
        this.#worker.postMessage([number, null]);
        reject(signal?.reason);
      };
      this.#waiting.set(number, () => {
        signal?.removeEventListener("abort", give);
        resolve();
      });
      signal?.addEventListener("abort", give, { once: true });
      this.#worker.postMessage([number, Math.min(ms, LONGEST_MS)]);
    });
  }
}

export const clock = new Clock();
