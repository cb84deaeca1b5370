// What came of a call of a job's function, as sandbox/call.js says it.

const REPLY = /^([a-z_]{1,20})\n(.*)$/s;
const ERROR_LENGTH = 500;
const NONSENSE = "what computed it sent nonsense";

/**
 * Nothing of it is taken on trust: the job's code ran where it comes from.
 *
 * @param {string} reply
 * @returns {{value: any, context: object, error?: undefined} | {error: string}}
 */
export function outcomeOf(reply) {
  const [, kind, text] = REPLY.exec(reply) ?? [];
  if (kind !== "returned") return { error: text?.slice(0, ERROR_LENGTH) || NONSENSE };
  try {
    const { value, context } = JSON.parse(text);
    return value === undefined ? { error: NONSENSE } : { value, context };
  } catch {
    return { error: NONSENSE };
  }
}
