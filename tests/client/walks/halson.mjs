// The same with halson (https://github.com/seznam/halson), which reads HAL and leaves HTTP to its caller.

import halson from "halson";

const get = async (url) => halson(await (await fetch(url)).json());

const root = await get(`${process.argv[2]}/`);
const jobs = await get(root.getLink("jobs-root").href);
const job = await get(jobs.getLink("jobs", ({ name }) => name === "Doubler").href);
const variables = await get(job.getLink("variables-root").href);
const variable = await get(variables.getLinks("variables")[0].href);

const execute = new Function("variable", "context", job.execute_function);
const results = variable.getLink("results-root").href;
const made = await fetch(results, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(execute(variable.variable, {}).result),
});

const listed = await get(results);
const embedded = listed.getEmbeds("results").map((result) => result.getLink("self").href);
console.log(
  JSON.stringify({
    variable: variable.getLink("self").href,
    location: made.headers.get("location"),
    listed: embedded,
  }),
);
