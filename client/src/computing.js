// Running a job's function, away from everything and stoppable.

import { outcomeOf } from "./reply.js";

/**
 * @param {import('./pool.js').Task} task
 * @param {import('./sources.js').Source} source
 * @param {{timeoutMilliseconds?: number, signal?: AbortSignal}} [limits]
 * @returns {Promise<import('./pool.js').Outcome>}
 */
export async function compute(
  task,
  { executeBody },
  { timeoutMilliseconds = task.job.policy.delayBoundSeconds * 1000, signal } = {},
) {
  const began = performance.now();
  const { start } = await (globalThis.document ? import("./browser-cell.js") : import("./node-cell.js"));
  const texts = [task.variable, task.context].map((value) => JSON.stringify(value));
  const cell = start(JSON.stringify({ body: executeBody, texts }));
  let timer;
  const stopped = new Promise((resolve) => {
    timer = setTimeout(() => resolve(`timeout\nstopped after ${timeoutMilliseconds} ms`), timeoutMilliseconds);
    signal?.addEventListener("abort", () => resolve("stopped\nstopped"), { once: true });
  });
  const reply = await Promise.race([cell.reply, stopped]);
  clearTimeout(timer);
  cell.stop();
  return { task, ...outcomeOf(reply), elapsedMilliseconds: Math.round(performance.now() - began) };
}
