// What runs inside of a cell, in a browser's worker as well as in one of Node.js.

/**
 * A function of the text of a call (JSON of `body`, `variable`, `context`), which answers JSON of `value` and `context`,
 * or of `error`. Only its source text is used.
 */
export const SCRIPT = `async (call) => {
  const { body, variable, context } = JSON.parse(call);
  try {
    const returned = await new Function('variable', 'context', body)(variable, context);
    if (returned === null || typeof returned !== 'object' || !('result' in returned)) {
      throw new TypeError('the function must return the context with a field "result"');
    }
    const { result: value, ...rest } = returned;
    return JSON.stringify({ value: value === undefined ? null : value, context: rest });
  } catch (problem) {
    return JSON.stringify({ error: String((problem && problem.message) || problem) });
  }
}`;
