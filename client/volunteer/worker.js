// Runs in a task's worker, after call.js, math.js and prelude.js and before the job's code. It takes away all that isn't ECMAScript, then
// waits for the one task: a job sees what the pool's own sandbox shows it, and has no name for anything else.
//
// Whatever is needed after the job's code has run is captured here: a job may patch every prototype.
(() => {
  "use strict";

  const { prepare, call, settled } = /** @type {any} */ (globalThis).__sandbox;
  const { apply, deleteProperty, defineProperty, getPrototypeOf, ownKeys } = Reflect;
  const { startsWith } = String.prototype;
  const { postMessage: post } = MessagePort.prototype;
  const { performance } = globalThis;
  const { now } = Performance.prototype;
  const wait = setTimeout;

  const LIMIT = 4 << 20;
  const POLL_MS = 10;
  const IDLE_POLLS = 1_000;

  const KEPT = new Set(
    `AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date
    DisposableStack Error EvalError Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array
    Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set
    String SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array Uint8Array
    Uint8ClampedArray WeakMap WeakSet WebAssembly __sandbox decodeURI decodeURIComponent encodeURI encodeURIComponent
    escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape`.split(/\s+/),
  );

  const elapsed = (/** @type {number} */ since) => apply(now, performance, []) - since;

  addEventListener(
    "message",
    ({ data: { source, texts }, ports: [port] }) => {
      const began = elapsed(0);
      let polls = 0;
      // A promise that nothing in here can settle any more is given up, as the pool's own sandbox does.
      const finish = (/** @type {string} */ reply) => {
        if (apply(startsWith, reply, ["pending\n"]) && polls++ < IDLE_POLLS) wait(() => finish(settled()), POLL_MS);
        else apply(post, port, [[elapsed(began), reply]]);
      };
      prepare(source, ["variable", "context"]);
      finish(call(texts, "job", LIMIT));
    },
    { once: true },
  );

  for (
    let level = /** @type {any} */ (globalThis);
    level && level !== Object.prototype;
    level = getPrototypeOf(level)
  ) {
    for (const key of ownKeys(level)) {
      if (level === globalThis && KEPT.has(/** @type {string} */ (key))) continue;
      if (!deleteProperty(level, key)) defineProperty(level, key, { value: undefined });
    }
  }
})();
