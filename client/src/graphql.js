// GraphQL over HTTP, subscriptions as server-sent events.

import { dataOf, parsed, read } from "./answers.js";
import { PoolAway } from "./errors.js";

/** One GraphQL endpoint. */
export class GraphQL {
  /**
   * @param {string} url
   * @param {typeof fetch} [fetch]
   * @param {string} [token] an account's
   */
  constructor(url, fetch = globalThis.fetch, token = "") {
    this.url = url;
    this.fetch = fetch;
    this.token = token;
  }

  /**
   * The `data` of a query or mutation.
   *
   * @param {string} query
   * @param {Record<string, unknown>} [variables]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   * @throws {import("./errors.js").PoolError}
   */
  async execute(query, variables = {}, signal) {
    const response = await this.#post(query, variables, "application/json", signal);
    return dataOf(response, await this.#read(response.text(), signal), this.url);
  }

  /**
   * The `data` of each event of a subscription (https://github.com/enisdenjo/graphql-sse, distinct connections mode).
   *
   * @param {string} query
   * @param {Record<string, unknown>} [variables]
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<any, void>} ends when the pool says that it is complete
   * @throws {import("./errors.js").PoolError} when the connection is lost before that, or the pool refuses
   */
  async *subscribe(query, variables = {}, signal) {
    const response = await this.#post(query, variables, "text/event-stream", signal);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      dataOf(response, await this.#read(response.text(), signal), this.url);
      throw new PoolAway("the pool answered a subscription with no stream");
    }
    const body = /** @type {ReadableStream<BufferSource>} */ (response.body);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for await (const { name, data } of events(() => this.#read(reader.read(), signal))) {
        if (name === "complete") return;
        if (name === "next" || name === "message") yield read(parsed(data), this.url);
      }
    } finally {
      reader.cancel().catch(() => {}); // It may have been lost already.
    }
    throw new PoolAway("the connection to the pool was lost");
  }

  /** @param {string} query @param {object} variables @param {string} accept @param {AbortSignal} [signal] */
  async #post(query, variables, accept, signal) {
    const body = JSON.stringify({ query, variables });
    /** @type {Record<string, string>} */
    const headers = { "content-type": "application/json", accept };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const options = { method: "POST", headers, body, signal };
    return this.#read(this.fetch.call(globalThis, this.url, options), signal);
  }

  /**
   * What is read, or why it can't be: the caller's own abort as it is, anything else as `PoolAway`.
   *
   * @template T
   * @param {Promise<T>} reading
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #read(reading, signal) {
    try {
      return await reading;
    } catch (problem) {
      if (signal?.aborted && signal.reason?.name !== "TimeoutError") throw signal.reason;
      throw new PoolAway(`the pool at ${this.url} does not answer: ${/** @type {Error} */ (problem).message}`);
    }
  }
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 *
 * @param {() => Promise<{value?: string, done: boolean}>} next reads the next part of the text
 * @returns {AsyncGenerator<{name: string, data: string}>}
 */
async function* events(next) {
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  for (;;) {
    const { value, done } = await next();
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
}
