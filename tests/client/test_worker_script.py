"""The worker script in a real browser: it computes, answers its creator, and reaches nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Page

RUN = """url => new Promise((resolve, reject) => {
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
  worker.onerror = problem => reject(new Error(problem.message || 'the worker did not start'));
})"""

ATTEMPTS = """async function (variable, context) {
  const outcomes = {};
  const attempt = async (name, reach) => {
    try { outcomes[name] = await reach() || 'reached'; } catch (problem) { outcomes[name] = 'refused'; }
  };
  const event = (source, ...refusals) => new Promise((resolve, reject) => {
    source.onopen = () => resolve('reached');
    source.onerror = reject;
  });
  const http = variable.trap, ws = variable.trap.replace('http', 'ws');
  await attempt('fetch', async () => { await fetch(http, { mode: 'no-cors' }); });
  await attempt('XMLHttpRequest', () => {
    const request = new XMLHttpRequest();
    request.open('GET', http, false);
    request.send();
  });
  await attempt('WebSocket', () => event(new WebSocket(ws)));
  await attempt('EventSource', () => event(new EventSource(http)));
  await attempt('importScripts', () => importScripts(http + '/x.js'));
  await attempt('import', () => import(http + '/x.mjs'));
  await attempt('Worker', () => new Promise((resolve, reject) => {
    const worker = new Worker(http + '/worker.js');
    worker.onmessage = resolve;
    worker.onerror = reject;
  }));
  await attempt('own origin', async () => { await fetch(self.location.href, { mode: 'no-cors' }); });
  context.result = outcomes;
  return context;
}"""


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that notes whatever reaches it."""
    seen: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", seen


async def variable(client: httpx.AsyncClient, name: str, source: str, value: Any) -> str:
    """The URL of a variable of a new job."""
    job = await client.post("/jobs", json={"name": name, "execute_function": source})
    made = await client.post(
        f"{job.headers['location']}/variables", content=json.dumps(value), headers={"content-type": "application/json"}
    )
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


async def test_a_worker_of_the_script_posts_result_and_context(client: httpx.AsyncClient, page: Page) -> None:
    source = "(variable, context) => ({ ...context, seen: variable.text, result: variable.numbers.map(n => n * n) })"
    value = {"text": "</script> \u2028 `${1}` \\ \" ' é \U0001d518", "numbers": [1, 2, 3]}
    url = await variable(client, "Squares", source, value)
    assert await page.evaluate(RUN, f"{url}.js") == {"result": [1, 4, 9], "context": {"seen": value["text"]}}


async def test_a_worker_of_the_script_posts_the_error_that_its_function_threw(
    client: httpx.AsyncClient, page: Page
) -> None:
    url = await variable(client, "Throws", "() => { throw new TypeError('not today'); }", 1)
    assert await page.evaluate(RUN, f"{url}.js") == {"error": "TypeError: not today"}


async def test_a_worker_of_the_script_reaches_nothing(client: httpx.AsyncClient, page: Page) -> None:
    async with trap() as (address, seen):
        url = await variable(client, "Curious", ATTEMPTS, {"trap": address})
        message = await page.evaluate(RUN, f"{url}.js")
        assert set(message) == {"result", "context"}
        assert message["result"] == dict.fromkeys(message["result"], "refused")
        assert len(message["result"]) == 8
        assert seen == []
        # The page itself may: what the worker saw was not a dead server.
        await page.evaluate("url => fetch(url, { mode: 'no-cors' }).then(() => true)", address)
        assert seen == [b"GET / HTTP/1.1\r\n"]
