// Wakes the page: [number, ms] sets a timer, [number, null] takes it back.
"use strict";

/** @type {Map<number, ReturnType<typeof setTimeout>>} */
const timers = new Map();

onmessage = ({ data: [number, ms] }) => {
  clearTimeout(timers.get(number));
  if (ms === null) timers.delete(number);
  else {
    timers.set(
      number,
      setTimeout(() => {
        timers.delete(number);
        postMessage(number);
      }, ms),
    );
  }
};
