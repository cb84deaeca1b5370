// A cell in Node.js: a thread that can be stopped, and in it a context that was given nothing.
//
// Node.js calls no context of its own safe from hostile code: run volunteers under `node --permission`, or use
// `comp-pool work`, whose sandbox is a process.

import { Worker } from "node:worker_threads";

import { SCRIPT } from "./cell-script.js";

const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const vm = require('node:vm');
  const run = vm.runInContext(${JSON.stringify(SCRIPT)}, vm.createContext(Object.create(null)));
  run(workerData, (reply) => parentPort.postMessage(reply));
`;
const MOST_MEGABYTES = 256;

/**
 * @param {string} call
 * @returns {{reply: Promise<string>, stop: () => void}}
 */
export function start(call) {
  const thread = new Worker(THREAD, {
    eval: true,
    env: {},
    workerData: call,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
  });
  const reply = new Promise((resolve) => {
    thread.once("message", resolve);
    thread.once("error", (/** @type {Error} */ problem) => resolve(`crash\n${problem.message}`));
    thread.once("exit", () => resolve("crash\nthe thread that computed it ended"));
  });
  return { reply, stop: () => void thread.terminate() };
}
