/**
 * A place to compute in: an iframe of an opaque origin, and in it a worker for each task. See `sandbox.html` and
 * `worker.js` for what a job finds there, which is nothing but ECMAScript.
 *
 * @typedef {{kind: string, text: string, elapsedMilliseconds: number}} Outcome `returned` and the JSON, or the kind of
 *   a failure and its message.
 */

import { clock } from "./clock.js";

const PING_MS = 2_000;
const MOST_MISSED = 5;
const ERROR_LENGTH = 500;
const OUTCOME = /^([a-z_]{1,20})\n(.*)$/s;

/** The job did not answer by its deadline. */
export class TookTooLong extends Error {}

/** The iframe does not answer any more: its process ended, most likely for want of memory. */
export class CellLost extends Error {}

/** The texts that each task's worker runs before the job's code. @returns {Promise<string[]>} */
export async function workerScript() {
  const [prelude, worker] = await Promise.all(
    ["prelude.js", "worker.js"].map(async (name) => {
      const response = await fetch(new URL(name, import.meta.url));
      if (!response.ok) throw new Error(`${name} can't be loaded: ${response.status}`);
      return response.text();
    }),
  );
  // The worker takes away all globals itself; these are the ones of ECMAScript that jobs don't see.
  const hidden = ["SharedArrayBuffer", "Atomics", "FinalizationRegistry", "WeakRef", "console"];
  return [prelude.replace("(HIDDEN)", `(${JSON.stringify(hidden)})`), worker];
}

export class Cell {
  /** @type {HTMLIFrameElement} */
  #frame;
  /** @type {MessagePort} */
  #port;
  /** @type {((said: Outcome | Error) => void) | null} */
  #settle = null;
  #missed = 0;
  #closed = false;

  /**
   * @param {HTMLElement} place Where the iframe is put; it has nothing to show.
   * @param {string[]} script What `workerScript` answered.
   */
  constructor(place, script) {
    this.#frame = document.createElement("iframe");
    this.#frame.setAttribute("sandbox", "allow-scripts");
    this.#frame.title = "Where jobs are computed";
    this.#frame.hidden = true;
    this.#frame.src = new URL("sandbox.html", import.meta.url).href;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data }) => this.#hear(data);
    this.#frame.addEventListener("load", () => this.#frame.contentWindow?.postMessage(script, "*", [port2]), {
      once: true,
    });
    place.append(this.#frame);
    this.#watch();
  }

  /**
   * Call a job's function. One call at a time.
   *
   * @param {string} source
   * @param {unknown[]} values Its arguments.
   * @param {number} timeoutMs
   * @param {AbortSignal} signal Ends the computation, and rejects with its reason.
   * @returns {Promise<Outcome>}
   * @throws {TookTooLong | CellLost}
   */
  async compute(source, values, timeoutMs, signal) {
    signal.throwIfAborted();
    const over = new AbortController();
    /** @type {Promise<Outcome>} */
    const answer = new Promise((resolve, reject) => {
      this.#settle = (said) => (said instanceof Error ? reject(said) : resolve(said));
      signal.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
      clock.sleep(timeoutMs, over.signal).then(
        () => reject(new TookTooLong(`it did not answer within ${Math.round(timeoutMs / 1000)} s`)),
        () => {},
      );
    });
    this.#port.postMessage({ source, texts: values.map((value) => JSON.stringify(value)) });
    try {
      return await answer;
    } finally {
      this.#settle = null;
      over.abort();
      this.#port.postMessage("end");
    }
  }

  /** Whether it is gone, by `close` or by itself. */
  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    this.#port.close();
    this.#frame.remove();
    this.#settle?.(new CellLost("the sandbox ended; the job may have run out of memory"));
  }

  /** Nothing of what is said is taken on trust. @param {unknown} said */
  #hear(said) {
    this.#missed = 0;
    if (!Array.isArray(said)) return;
    const [, kind, text] = OUTCOME.exec(String(said[1])) ?? [];
    this.#settle?.({
      kind: kind ?? "crash",
      text: kind === "returned" ? text : (text ?? "").slice(0, ERROR_LENGTH),
      elapsedMilliseconds: Math.max(0, Math.round(Number(said[0]) || 0)),
    });
  }

  /** Pings rather than hours are counted, and only those that come in time: a machine that slept, or has more to do
   * than it can, is not a lost sandbox. */
  async #watch() {
    while (!this.#closed) {
      const began = performance.now();
      await clock.sleep(PING_MS);
      if (this.#closed) return;
      if (performance.now() - began < 2 * PING_MS && ++this.#missed > MOST_MISSED) this.close();
      else this.#port.postMessage("are you there?");
    }
  }
}
