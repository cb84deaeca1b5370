/**
 * Time that goes on while the tab is hidden. Browsers slow a hidden page's own timers down to one a minute, which is
 * too late for a lease's heartbeat; those of a worker run on. Where its script does not load, the page's have to do.
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
  #hasWorker = true;
  /** @type {Map<number, {wake: () => void, at: number}>} */
  #waiting = new Map();

  constructor() {
    this.#worker.onmessage = ({ data: number }) => this.#wake(number);
    this.#worker.onerror = () => {
      this.#hasWorker = false;
      for (const [number, { at }] of this.#waiting) this.#set(number, at - Date.now());
    };
  }

  /** @param {number} number @param {number} ms */
  #set(number, ms) {
    if (this.#hasWorker) this.#worker.postMessage([number, ms]);
    else setTimeout(() => this.#wake(number), ms);
  }

  /** @param {number} number */
  #wake(number) {
    this.#waiting.get(number)?.wake();
    this.#waiting.delete(number);
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
        if (this.#hasWorker) this.#worker.postMessage([number, null]);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", give);
        resolve();
      };
      const most = Math.min(ms, LONGEST_MS);
      this.#waiting.set(number, { wake, at: Date.now() + most });
      signal?.addEventListener("abort", give, { once: true });
      this.#set(number, most);
    });
  }
}

export const clock = new Clock();
