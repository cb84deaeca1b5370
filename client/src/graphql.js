// GraphQL over HTTP, subscriptions as server-sent events.

const TEMPORARY = new Set(["UNREACHABLE", "UNAVAILABLE", "INTERNAL", "RATE_LIMITED", "IN_PROGRESS"]);

/**
 * What the pool says is wrong: of a mutation's input, or of a whole request.
 *
 * @typedef {{message: string, code?: string, field?: string | null}} Problem
 */

/** What the pool refused, or could not do. */
export class PoolError extends Error {
  /** @param {Problem} problem */
  constructor({ message, code = "REFUSED", field }) {
    super(message);
    this.name = new.target.name;
    /** The kind of error, such as `BAD_INPUT`, or `UNREACHABLE` when the pool did not answer. */
    this.code = code;
    /** The path of the input at fault; empty: there is none. */
    this.field = field ?? "";
  }

  /**
   * The error for a problem.
   *
   * @param {Problem} problem
   * @returns {PoolAway | PoolRefused}
   */
  static of(problem) {
    return TEMPORARY.has(problem.code ?? "") ? new PoolAway(problem) : new PoolRefused(problem);
  }
}

/** The pool did not answer, or can't at the moment: it is starting or stopping, or there is no network. Try again. */
export class PoolAway extends PoolError {
  /** @param {Problem | string} problem */
  constructor(problem) {
    super(typeof problem === "string" ? { message: problem, code: "UNREACHABLE" } : problem);
  }
}

/** The pool refused the request, and will refuse it again. */
export class PoolRefused extends PoolError {
  /** All that is wrong with it, the error's own problem first. @type {Problem[]} */
  problems;

  /** @param {Problem} problem @param {Problem[]} [others] */
  constructor(problem, others = []) {
    super(problem);
    this.problems = [problem, ...others];
  }
}

/** One GraphQL endpoint. */
export class GraphQL {
  /**
   * @param {string} url
   * @param {typeof fetch} [fetch]
   */
  constructor(url, fetch = globalThis.fetch) {
    this.url = url;
    this.fetch = fetch;
  }

  /**
   * The `data` of a query or mutation.
   *
   * @param {string} query
   * @param {Record<string, unknown>} [variables]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   * @throws {PoolAway | PoolRefused}
   */
  async execute(query, variables = {}, signal) {
    const response = await this.#post(query, variables, "application/json", signal);
    return dataOf(await this.#read(response.json(), signal));
  }

  /**
   * The `data` of each event of a subscription (https://github.com/enisdenjo/graphql-sse, distinct connections mode).
   *
   * @param {string} query
   * @param {Record<string, unknown>} [variables]
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<any, void>} ends when the pool says that it is complete
   * @throws {PoolAway | PoolRefused} when the connection is lost before that, or the pool refuses
   */
  async *subscribe(query, variables = {}, signal) {
    const response = await this.#post(query, variables, "text/event-stream", signal);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      dataOf(await this.#read(response.json(), signal));
      throw new PoolAway("the pool answered a subscription with no stream");
    }
    const body = /** @type {ReadableStream<BufferSource>} */ (response.body);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for await (const { name, data } of events(() => this.#read(reader.read(), signal))) {
        if (name === "complete") return;
        if (name === "next" || name === "message") yield dataOf(JSON.parse(data));
      }
    } finally {
      reader.cancel().catch(() => {}); // It may have been lost already.
    }
    throw new PoolAway("the connection to the pool was lost");
  }

  /** @param {string} query @param {object} variables @param {string} accept @param {AbortSignal} [signal] */
  async #post(query, variables, accept, signal) {
    const body = JSON.stringify({ query, variables });
    const headers = { "content-type": "application/json", accept };
    const response = await this.#read(
      this.fetch.call(globalThis, this.url, { method: "POST", headers, body, signal }),
      signal,
    );
    if (response.ok) return response;
    const said = (await this.#read(response.text(), signal)).slice(0, 500);
    const code = response.status >= 500 ? "UNREACHABLE" : "REFUSED";
    throw PoolError.of({ message: `the pool answered ${response.status}: ${said}`, code });
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

/** @param {{data?: any, errors?: {message: string, extensions?: {code?: string, field?: string}}[]}} answer */
function dataOf({ data, errors }) {
  if (!errors?.length) return data;
  const [first, ...others] = errors.map(({ message, extensions }) => ({ message, ...extensions }));
  const error = PoolError.of(first);
  throw error instanceof PoolRefused ? new PoolRefused(first, others) : error;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 *
 * @param {() => Promise<{value?: string, done: boolean}>} read the next part of the text
 * @returns {AsyncGenerator<{name: string, data: string}>}
 */
async function* events(read) {
  let rest = "";
  let name = "message";
  /** @type {string[]} */
  let data = [];
  for (;;) {
    const { value, done } = await read();
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
