"use strict";

const { client } = require("./legacy.cjs");

/** Clients of comp-pool: `Pool` for people who start today, `client` as the original's documentation has it. */
module.exports = {
  client,
  get Pool() {
    return require("./pool.js").Pool;
  },
  get NotAPool() {
    return require("./pool.js").NotAPool;
  },
  get PoolAway() {
    return require("./pool.js").PoolAway;
  },
  get PoolError() {
    return require("./pool.js").PoolError;
  },
  get PoolRefused() {
    return require("./pool.js").PoolRefused;
  },
};
