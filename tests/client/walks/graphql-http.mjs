// The audit of GraphQL over HTTP (https://github.com/graphql/graphql-http), and what does not pass it.

import { auditServer } from "graphql-http";

const results = await auditServer({ url: `${process.argv[2]}/graphql` });
const failed = results.filter(({ status }) => status !== "ok");
console.log(
  JSON.stringify({
    passed: results.length - failed.length,
    failed: failed.map(({ id, name, status, reason }) => `${status} ${id} ${name}: ${reason}`),
  }),
);
