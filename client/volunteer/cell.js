/**
 * A place to compute in: an iframe of an opaque origin, and in it a worker for each task. See `sandbox.html` and
 * `worker.js` for what a job finds there, which is nothing but ECMAScript.
 *
 * @typedef {{value?: unknown, context?: object, error?: string, elapsedMilliseconds: number}} Outcome `value` and
 *   `context`, or `error`.
 */

import { outcomeOf } from "../src/reply.js";
import { clock } from "./clock.js";

const PING_MS = 1_000;
const MOST_MISSED = 3;
const PROBE_MS = 30_000;
const LOOK_MS = 200;

/** The job did not answer by its deadline. */
export class TookTooLong extends Error {}

/** The iframe does not answer any more: its process ended, most likely for want of memory. */
export class CellLost extends Error {
  /** @param {boolean} began Whether the job can have begun, and be to blame. */
  constructor(began) {
    super("the sandbox ended; the job may have run out of memory");
    this.began = began;
  }
}

/** The texts that each task's worker runs before the job's code. @returns {Promise<string[]>} */
export async function workerScript() {
  const [call, math, prelude, worker] = await Promise.all(
    ["call.js", "math.js", "prelude.js", "worker.js"].map(async (name) => {
      const response = await fetch(new URL(name, import.meta.url));
      if (!response.ok) throw new Error(`${name} can't be loaded: ${response.status}`);
      return response.text();
    }),
  );
  // The worker takes away all globals itself; these are the ones of ECMAScript that jobs don't see.
  const hidden = ["SharedArrayBuffer", "Atomics", "FinalizationRegistry", "WeakRef", "console"];
  return [call, math, prelude.replace("(HIDDEN)", `(${JSON.stringify(hidden)})`), worker];
}

/** An iframe for jobs and the port to it. */
class Frame {
  /** @type {HTMLIFrameElement} */
  #element;
  /** @type {MessagePort} */
  #port;

  /**
   * @param {HTMLElement} place Where the iframe is put; it has nothing to show.
   * @param {string[]} script What `workerScript` answered.
   * @param {(said: unknown) => void} hear Gets all that it says; the first is that it is ready.
   */
  constructor(place, script, hear) {
    this.#element = document.createElement("iframe");
    this.#element.setAttribute("sandbox", "allow-scripts");
    this.#element.title = "Where jobs are computed";
    this.#element.hidden = true;
    this.#element.src = new URL("sandbox.html", import.meta.url).href;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data }) => hear(data);
    this.#element.addEventListener("load", () => this.#element.contentWindow?.postMessage(script, "*", [port2]), {
      once: true,
    });
    place.append(this.#element);
  }

  /** @param {unknown} message */
  tell(message) {
    this.#port.postMessage(message);
  }

  remove() {
    this.#port.close();
    this.#element.remove();
  }
}

export class Cell {
  #place;
  #script;
  #frame;
  /** @type {((said: Outcome | Error) => void) | null} */
  #settle = null;
  #ready = false;
  #missed = 0;
  #closed = false;

  /**
   * @param {HTMLElement} place Where the iframe is put.
   * @param {string[]} script What `workerScript` answered.
   */
  constructor(place, script) {
    this.#place = place;
    this.#script = script;
    this.#frame = this.#newFrame((said) => this.#hear(said));
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
      clock.sleepAwake(timeoutMs, over.signal).then(
        () => reject(new TookTooLong(`it did not answer within ${Math.round(timeoutMs / 1000)} s`)),
        () => {},
      );
    });
    this.#frame.tell({ source, texts: values.map((value) => JSON.stringify(value)) });
    try {
      return await answer;
    } finally {
      this.#settle = null;
      over.abort();
      this.#frame.tell("end");
    }
  }

  /** Whether it is gone, by `close` or by itself. */
  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    this.#frame.remove();
    this.#settle?.(new CellLost(this.#ready));
  }

  /** Nothing of what is said is taken on trust. @param {unknown} said */
  #hear(said) {
    this.#ready = true;
    this.#missed = 0;
    if (!Array.isArray(said)) return;
    const elapsedMilliseconds = Math.max(0, Math.round(Number(said[0]) || 0));
    this.#settle?.({ ...outcomeOf(String(said[1])), elapsedMilliseconds });
  }

  async #watch() {
    while (!this.#closed) {
      await clock.sleep(PING_MS);
      if (this.#closed) return;
      if (++this.#missed > MOST_MISSED && (await this.#isGone())) this.close();
      else this.#frame.tell("are you there?");
    }
  }

  /** Whether a new frame, which shares its process if that lives, answers while this one does not: a machine that
   * slept, or has more to do than it can, keeps both waiting. */
  async #isGone() {
    let answers = false;
    const probe = this.#newFrame(() => (answers = true));
    const until = performance.now() + PROBE_MS;
    while (!answers && this.#missed && !this.#closed && performance.now() < until) await clock.sleep(LOOK_MS);
    // What this one may have said before is heard by then.
    if (answers) await clock.sleep(PING_MS);
    probe.remove();
    return answers && this.#missed > 0;
  }

  /** @param {(said: unknown) => void} hear */
  #newFrame(hear) {
    return new Frame(this.#place, this.#script, hear);
  }
}
