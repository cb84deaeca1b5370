// GraphQL over HTTP, subscriptions as server-sent events.

/** What the pool refused, or could not do. */
export class PoolError extends Error {
  /**
   * @param {string} message
   * @param {string} code the kind of error, such as `BAD_INPUT`, or `UNREACHABLE` when the pool did not answer
   * @param {string} [field] the path of the input at fault
   */
  constructor(message, code, field = '') {
    super(message);
    this.name = 'PoolError';
    this.code = code;
    this.field = field;
  }
}

/** One GraphQL endpoint. */
export class GraphQL {
  /**
   * @param {string} url
   * @param {typeof fetch} fetch
   */
  constructor(url, fetch) {
    this.url = url;
    this.fetch = fetch;
  }

  /**
   * The `data` of a query or mutation.
   *
   * @param {string} query
   * @param {object} variables
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   * @throws {PoolError}
   */
  async execute(query, variables, signal) {
    const response = await this.#post(query, variables, 'application/json', signal);
    return dataOf(await response.json());
  }

  /**
   * The `data` of each event of a subscription (https://github.com/enisdenjo/graphql-sse, distinct connections mode).
   *
   * @param {string} query
   * @param {object} variables
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<any, void>} ends when the pool says that it is complete
   * @throws {PoolError} with the code `UNREACHABLE` when the connection is lost before
   */
  async *subscribe(query, variables, signal) {
    const response = await this.#post(query, variables, 'text/event-stream', signal);
    for await (const { event, data } of serverSentEvents(response.body)) {
      if (event === 'complete') return;
      if (event === 'next') yield dataOf(JSON.parse(data));
    }
    throw new PoolError('the connection to the pool was lost', 'UNREACHABLE');
  }

  async #post(query, variables, accept, signal) {
    let response;
    try {
      response = await this.fetch.call(globalThis, this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query, variables }),
        signal,
      });
    } catch (problem) {
      signal?.throwIfAborted();
      throw new PoolError(`the pool at ${this.url} does not answer: ${problem.message}`, 'UNREACHABLE');
    }
    if (!response.ok) {
      throw new PoolError(
        `the pool answered ${response.status}: ${await response.text()}`,
        response.status >= 500 ? 'UNREACHABLE' : 'REFUSED',
      );
    }
    return response;
  }
}

function dataOf({ data, errors }) {
  if (!errors?.length) return data;
  const [{ message, extensions }] = errors;
  throw new PoolError(message, extensions?.code ?? 'INTERNAL', extensions?.field);
}

/**
 * The events of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 * One that breaks off ends quietly.
 */
async function* serverSentEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = '';
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      if (done) return;
      const blocks = (buffered + value).split(/\r?\n\r?\n/);
      buffered = blocks.pop();
      yield* blocks.map(eventOf);
    }
  } finally {
    reader.cancel().catch(() => {}); // It may have been lost already.
  }
}

function eventOf(block) {
  const fields = { event: 'message', data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === 'data') fields.data.push(value);
    else if (name) fields[name] = value;
  }
  return { event: fields.event, data: fields.data.join('\n') };
}
