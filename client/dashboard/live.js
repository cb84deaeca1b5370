/**
 * Staying up to date: by subscription, and by polling while that does not come through.
 *
 * @typedef {"live" | "polling" | "away" | "ended"} Liveness
 */

import { h, put } from "../shared/dom.js";
import { PoolAway, subscribe } from "../shared/graphql.js";

/** So long it waits (ms), and so many times as long as it took, before it reads what is large again. */
export const REREAD_MS = 1500;
export const REREAD_SHARE = 5;
const POLL_MS = 2000;
const FIRST_EVENT_MS = 6000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Follow a subscription until it is complete.
 *
 * @param {object} asked
 * @param {string} asked.subscription
 * @param {() => Record<string, unknown>} asked.variables Asked at each connection: the cursor to go on from is in them.
 * @param {() => Promise<any>} asked.poll What the subscription would tell, read once.
 * @param {(data: any) => void | Promise<void>} asked.tell Gets what either delivered.
 * @param {(liveness: Liveness) => void} asked.status
 * @param {AbortSignal} asked.signal
 * @throws {PoolRefused} Where the pool turns the subscription or the poll down.
 */
export async function follow({ subscription, variables, poll, tell, status, signal }) {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      for await (const data of timely(subscription, variables(), signal)) {
        failures = 0;
        status("live");
        await tell(data);
      }
      status("ended");
      return;
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof PoolAway)) throw problem;
    }
    const again = Date.now() + Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures);
    while (Date.now() < again && !signal.aborted) {
      await polled(poll, tell, status, signal);
      await pause(POLL_MS, signal);
    }
  }
}

/** Read again and again. @param {() => Promise<void>} read @param {(liveness: Liveness) => void} status @param {AbortSignal} signal */
export async function keepReading(read, status, signal, everyMs = POLL_MS) {
  while (!signal.aborted) {
    if (!document.hidden) await polled(read, () => {}, status, signal);
    await pause(everyMs, signal);
  }
}

/** @param {() => Promise<any>} poll @param {(data: any) => void | Promise<void>} tell @param {(liveness: Liveness) => void} status @param {AbortSignal} signal */
async function polled(poll, tell, status, signal) {
  try {
    const data = await poll();
    if (signal.aborted) return;
    status("polling");
    await tell(data);
  } catch (problem) {
    if (signal.aborted) return;
    if (!(problem instanceof PoolAway)) throw problem;
    status("away");
  }
}

/** A subscription whose first event comes in time: what is in between may hold a stream back for ever.
 * @param {string} subscription @param {Record<string, unknown>} variables @param {AbortSignal} signal */
async function* timely(subscription, variables, signal) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), FIRST_EVENT_MS);
  try {
    for await (const data of subscribe(subscription, variables, AbortSignal.any([signal, late.signal]))) {
      clearTimeout(timer);
      yield data;
    }
  } catch (problem) {
    throw late.signal.aborted ? new PoolAway("no event came in time") : problem;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

const WORDS = {
  live: "live",
  polling: "polling",
  away: "the pool is away, trying again",
  ended: "complete",
};

/** A line that says how up to date a page is, and the function that changes it. */
export function livenessLine() {
  const line = h("p", { class: "liveness", role: "status" });
  let now = "";
  /** @param {Liveness} liveness */
  const status = (liveness) => {
    if (liveness === now) return;
    now = liveness;
    line.dataset.liveness = liveness;
    put(line, h("span", { class: "dot", "aria-hidden": "true" }), WORDS[liveness]);
  };
  return { line, status };
}
