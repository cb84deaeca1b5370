// What runs inside of a cell, in a browser's worker as well as in one of Node.js.

import { CALL } from "./call-text.js";

const LIMIT = 4 << 20;

/**
 * An expression for a function of a call's text (JSON of `body`, and of `texts`: the arguments' own) and of who gets its
 * reply, which `outcomeOf` reads.
 */
export const SCRIPT = `(() => {
  ${CALL}
  const { call, failure } = globalThis.__calls;
  delete globalThis.__calls;
  return (text, settle) => {
    const { body, texts } = JSON.parse(text);
    let target;
    try {
      target = new Function("variable", "context", body);
    } catch (error) {
      return settle(failure("syntax", error));
    }
    call(target, texts, "job", ${LIMIT}, settle);
  };
})()`;
