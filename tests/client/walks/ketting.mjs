// Root -> jobs -> job -> variables -> variable -> results with ketting (https://github.com/badgateway/ketting).

import { Client } from "ketting";

const client = new Client(`${process.argv[2]}/`);
const jobs = await client.follow("jobs-root");
const [job] = await jobs.followAll("jobs");
const { data } = await job.get();
const variables = await job.follow("variables-root");
const [variable] = await variables.followAll("variables");
const input = (await variable.get()).data.variable;

const execute = new Function("variable", "context", data.execute_function);
const results = await variable.follow("results-root");
const made = await results.postFollow({ data: execute(input, {}).result });

const listed = await (await variable.follow("results-root")).followAll("results");
console.log(JSON.stringify({ variable: variable.uri, location: made.uri, listed: listed.map(({ uri }) => uri) }));
