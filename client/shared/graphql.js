/** Asking the pool that served this page. */

import { GraphQL } from "../src/graphql.js";

export { PoolAway, PoolError, PoolRefused } from "../src/errors.js";

/** The pool's root, wherever a proxy has put it: two folders above this file's. */
export const ROOT = new URL("../..", import.meta.url).href;

const pool = new GraphQL(`${ROOT}graphql`);

/** The data of a query or mutation. @type {GraphQL["execute"]} */
export const ask = (query, variables, signal) => pool.execute(query, variables, signal);

/** The data of each event of a subscription, until the pool completes it. @type {GraphQL["subscribe"]} */
export const subscribe = (query, variables, signal) => pool.subscribe(query, variables, signal);
