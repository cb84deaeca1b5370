/** Clients of comp-pool: `Pool` for people who start today, `client` as the original's documentation has it. */
export { Pool, PoolError } from './pool.js';
export { client } from './legacy.cjs';
