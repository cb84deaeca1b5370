/**
 * Asking the pool that served this page: GraphQL over HTTP, subscriptions as server-sent events.
 *
 * @typedef {{message: string, path?: (string | number)[], extensions?: {code?: string, field?: string}}} GraphQLError
 */

const ENDPOINT = "/graphql";
const JSON_TYPE = "application/json";

/** The pool did not answer: it is stopping, starting, or there is no network. Try again. */
export class PoolAway extends Error {}

/** The pool refused the request. `errors` say why. */
export class PoolRefused extends Error {
  /** @param {GraphQLError[]} errors */
  constructor(errors) {
    super(errors.map((error) => error.message).join("; "));
    this.errors = errors;
  }
}

/**
 * The data of a query or mutation.
 *
 * @param {string} query
 * @param {Record<string, unknown>} [variables]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {PoolAway | PoolRefused}
 */
export async function ask(query, variables = {}, signal) {
  const response = await post(query, variables, JSON_TYPE, signal);
  return unwrap(await read(response.json()));
}

/**
 * The data of each event of a subscription, until the pool completes it.
 *
 * @param {string} query
 * @param {Record<string, unknown>} [variables]
 * @param {AbortSignal} [signal] Ends it.
 * @returns {AsyncGenerator<any>}
 * @throws {PoolAway | PoolRefused} Where the connection is lost before that.
 */
export async function* subscribe(query, variables = {}, signal) {
  const response = await post(query, variables, "text/event-stream", signal);
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    unwrap(await read(response.json()));
    throw new PoolAway("the pool answered a subscription with no stream");
  }
  for await (const { name, data } of events(/** @type {ReadableStream} */ (response.body))) {
    if (name === "complete") return;
    if (name === "next" || name === "message") yield unwrap(JSON.parse(data));
  }
  throw new PoolAway("the stream ended early");
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 *
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{name: string, data: string}>}
 */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { value, done } = await read(reader.read());
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) {
        const [, field, told] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
        if (field === "event") name = told;
        if (field === "data") data.push(told);
        if (line === "") {
          if (data.length || name === "complete") yield { name, data: data.join("\n") };
          name = "message";
          data = [];
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} query @param {Record<string, unknown>} variables @param {string} accept @param {AbortSignal} [signal] */
async function post(query, variables, accept, signal) {
  const body = JSON.stringify({ query, variables });
  const headers = { "content-type": JSON_TYPE, accept };
  const response = await read(fetch(ENDPOINT, { method: "POST", headers, body, signal }));
  if (response.status >= 500) throw new PoolAway(`the pool answered ${response.status}`);
  if (!response.ok) throw new PoolRefused([{ message: (await response.text()).slice(0, 500) }]);
  return response;
}

/** @template T @param {Promise<T>} reading @returns {Promise<T>} */
async function read(reading) {
  try {
    return await reading;
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new PoolAway(String(problem));
  }
}

/** @param {{data?: any, errors?: GraphQLError[]}} answer */
function unwrap(answer) {
  if (answer.errors?.length) {
    const away = answer.errors.every((error) => error.extensions?.code === "UNAVAILABLE");
    throw away ? new PoolAway(answer.errors[0].message) : new PoolRefused(answer.errors);
  }
  return answer.data;
}
