// Calls functions' bodies as the shipped client does. Reads a JSON array of [body, variable, context], writes one of
// what they returned or threw.

let text = "";
for await (const chunk of process.stdin) text += chunk;

const outcomes = [];
for (const [body, variable, context] of JSON.parse(text)) {
  try {
    outcomes.push({ returned: await new Function("variable", "context", body)(variable, context) });
  } catch (problem) {
    outcomes.push({ threw: problem.message });
  }
}
console.log(JSON.stringify(outcomes));
