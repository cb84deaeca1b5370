// The client of today shows an account's token, and is refused without it.

import { Pool } from "comp-pool";

const [, , url, job, token] = process.argv;
const flow = { jobs: [{ job }] };

const refused = await new Pool(url).submitFlow(flow).catch(({ code }) => code);
const { owner } = await new Pool(url, { token }).submitFlow(flow).then((submitted) => submitted.read());
console.log(JSON.stringify({ refused, owner }));
