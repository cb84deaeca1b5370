// The client of today in Node.js: a claim that is repeated, a heartbeat, and a task that is given back.

import { Pool, PoolAway, PoolRefused } from "comp-pool";

const [, , url, job] = process.argv;

const pool = new Pool(url);
const { tasks } = await pool.claim({ jobs: [job], idempotencyKey: "one" });
const { tasks: repeated } = await pool.claim({ jobs: [job], idempotencyKey: "one", repeated: true });
const lost = await pool.extend(tasks);
const released = await pool.release(tasks);
const lostThen = await pool.extend(tasks);

const codeOf = (kind, promise) => promise.catch((problem) => problem instanceof kind && problem.code);
console.log(
  JSON.stringify({
    same: repeated.length === 1 && repeated[0].id === tasks[0].id,
    lost: lost.length,
    released,
    lostThen: lostThen.map(({ id }) => id === tasks[0].id),
    refused: await codeOf(PoolRefused, pool.claim({ scheduler: "nonsense" })),
    away: await codeOf(PoolAway, new Pool("http://127.0.0.1:1").claim()),
    forged: await codeOf(PoolRefused, pool.compute({ ...tasks[0], job: { ...tasks[0].job, sha256: "another" } })),
  }),
);
