// Running a job's function, away from everything and stoppable.

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
  const cell = start({ body: executeBody, variable: task.variable, context: task.context });
  let timer;
  const stopped = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ error: `stopped after ${timeoutMilliseconds} ms` }), timeoutMilliseconds);
    signal?.addEventListener("abort", () => resolve({ error: "stopped" }), { once: true });
  });
  const said = await Promise.race([cell.answer, stopped]);
  clearTimeout(timer);
  cell.stop();
  return { task, ...said, elapsedMilliseconds: Math.round(performance.now() - began) };
}
