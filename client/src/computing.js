// Running a job's function, away from everything and stoppable.

/**
 * @param {import('./pool.js').Task} task
 * @param {{timeoutMilliseconds?: number, signal?: AbortSignal}} [limits]
 * @returns {Promise<import('./pool.js').Outcome>}
 */
export async function compute(task, { timeoutMilliseconds = task.job.policy.delayBoundSeconds * 1000, signal } = {}) {
  if (!(await isGenuine(task.job))) {
    return { task, error: 'the source of the job is not the one that its SHA-256 names', elapsedMilliseconds: 0 };
  }
  const began = performance.now();
  const { start } = await (globalThis.document ? import('./browser-cell.js') : import('./node-cell.js'));
  const cell = start({ body: task.job.executeBody, variable: task.variable, context: task.context });
  let timer;
  const stopped = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ error: `stopped after ${timeoutMilliseconds} ms` }), timeoutMilliseconds);
    signal?.addEventListener('abort', () => resolve({ error: 'stopped' }), { once: true });
  });
  const said = await Promise.race([cell.answer, stopped]);
  clearTimeout(timer);
  cell.stop();
  return { task, ...said, elapsedMilliseconds: Math.round(performance.now() - began) };
}

/** Whether the job's source is the one that was looked at: browsers can tell in secure contexts only. */
async function isGenuine({ executeFunction, sha256 }) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(executeFunction));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}
