/** Clients of comp-pool: `Pool` for people who start today, `client` as the original's documentation has it. */
export { NotAPool, Pool, PoolAway, PoolError, PoolRefused } from "./pool.js";
export { client } from "./legacy.cjs";
