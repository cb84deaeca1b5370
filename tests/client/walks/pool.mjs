// The client of today in Node.js: claims, computes and submits until nothing is left of a flow that it watches.

import { createRequire } from "node:module";
import { Pool } from "comp-pool";

const [, , url, job] = process.argv;
const fromCommonJs = createRequire(import.meta.url)("comp-pool").Pool;

const pool = new Pool(url);
const flow = await pool.submitFlow({
  jobs: [
    { job, variable: "v1" },
    { job, variable: "v2", as: "second" },
  ],
});

let connections = 0;
const flaky = new Pool(url, {
  // Loses the connection after every delta.
  async fetch(...request) {
    const response = await fetch(...request);
    connections += 1;
    const reader = response.body.getReader();
    const { value } = await reader.read();
    reader.cancel();
    return new Response(value, response);
  },
});
const deltas = [];
const watching = (async () => {
  for await (const delta of flaky.flow(flow.key).watch()) deltas.push(delta);
})();

const verdicts = [];
while (verdicts.length < 2) {
  const { tasks } = await pool.claim({ first: 2, jobs: [job] });
  const { results, userErrors } = await pool.submit(await Promise.all(tasks.map((task) => pool.compute(task))));
  if (userErrors.length) throw new Error(JSON.stringify(userErrors));
  verdicts.push(...results.map(({ verdict }) => verdict));
}
await watching;
const { state, result } = await flow.read();
console.log(
  JSON.stringify({
    same: fromCommonJs === Pool,
    verdicts,
    states: deltas.map((delta) => delta.state),
    cursorsGrow: deltas.every(({ cursor }, at) => at === 0 || cursor > deltas[at - 1].cursor),
    reset: deltas.map((delta) => delta.reset),
    connections,
    state,
    result,
  }),
);
