// Computes the cases of the table as the package does in Node.js. Reads them as JSON, each with its function's `body`,
// and writes the outcomes by name.

import { compute } from "../../../client/src/computing.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;

const outcomes = {};
for (const { name, body, variable = null, context = {} } of JSON.parse(text)) {
  const task = { variable, context, job: { policy: { delayBoundSeconds: 60 } } };
  const { value, context: rest, error } = await compute(task, { executeBody: body });
  outcomes[name] = { value, context: rest, error };
}
console.log(JSON.stringify(outcomes));
