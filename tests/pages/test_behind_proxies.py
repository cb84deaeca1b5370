"""The pages and the API through the proxies that `docs/operators.md` configures, as they are there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.pages.dashboard import Dashboard
from tests.pages.jobs import SQUARE, add_job, variables_of
from tests.pages.volunteer import LIGHTEST, Volunteer, until
from tests.processes import RunningServer
from tests.proxies import HOST, free_port, running_proxy, unverified
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACTIVITY = "subscription { poolActivity { __typename } }"
SUBMIT = """mutation($variable: String!) {
  submitFlow(input: {name: "Seen live", jobs: [{job: "square", variable: $variable}]}) { userErrors { message } } }"""
ADD = """mutation($v: [VariableInput!]!) {
  createVariables(input: {job: "square", variables: $v}) { userErrors { message } } }"""
UPLOAD_BYTES = 20_000_000


@dataclass
class Proxied:
    """A pool behind a proxy: `server` asks it at its own address, `url` is the public one."""

    server: RunningServer
    url: str
    port: int

    def client(self) -> httpx.AsyncClient:
        """Finds the proxy without a name server, and takes its certificate."""
        transport = httpx.AsyncHTTPTransport(verify=unverified())
        path = httpx.URL(self.url).path.rstrip("/")
        return httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}{path}",
            headers={"host": f"{HOST}:{self.port}"},
            transport=_Named(transport),
            timeout=60,
        )


class _Named(httpx.AsyncBaseTransport):
    """Greets the proxy by the name of the pool."""

    def __init__(self, inner: httpx.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = HOST
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture(params=[(program, variant) for program in ("nginx", "caddy") for variant in ("root", "pool")], ids=str)
def proxied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxied]:
    program, variant = request.param
    port = free_port()
    url = f"https://{HOST}:{port}" + ("" if variant == "root" else f"/{variant}")
    options = ("--public-url", url, "--trusted-proxies", "127.0.0.1", "--auth", "open")
    with (
        warm_server("memory", options=options) as server,
        running_proxy(program, variant, port, server.port, tmp_path),
    ):
        yield Proxied(server, url, port)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(30_000)
    yield context
    await context.close()


async def test_a_proxy_that_is_configured_as_documented_passes_everything_on(
    proxied: Proxied, browser: BrowserContext
) -> None:
    add_job(proxied.server, "Square", SQUARE)
    proxied.server.ask(ADD, v=[{"id": "three", "value": 3}])
    await _pages_are_live(proxied, browser)
    async with proxied.client() as client:
        await _links_are_public(proxied, client)
        await _uploads_pass(client)
        await _events_arrive_at_once(client)
    await _websockets_open(proxied)


async def _pages_are_live(proxied: Proxied, browser: BrowserContext) -> None:
    public = RunningServer(proxied.url, proxied.server.process)
    front = await browser.new_page()
    await front.goto(proxied.url)
    await front.get_by_text("1 task to do").wait_for()
    await front.get_by_role("link", name="Dashboard").click()
    await front.wait_for_url(f"{proxied.url}/dashboard**")
    dashboard = await Dashboard.visit(browser, public, "flows")
    assert not proxied.server.ask(SUBMIT, variable="three")["submitFlow"]["userErrors"]
    await dashboard.sees("Seen live")
    volunteer = await Volunteer.visit(browser, public, **LIGHTEST)
    await volunteer.start()
    await until(lambda: variables_of(proxied.server, "square")[0]["canonicalResult"], "the browser computed")
    assert variables_of(proxied.server, "square")[0]["canonicalResult"]["value"] == 9
    assert dashboard.complaints + volunteer.complaints == []


async def _links_are_public(proxied: Proxied, client: httpx.AsyncClient) -> None:
    page = await client.get("/jobs/square/variables/three")
    assert page.json()["_links"]["self"]["href"] == f"{proxied.url}/jobs/square/variables/three"
    script = page.json()["_links"]["alternate"]["href"]
    assert script.startswith(f"{proxied.url}/")
    made = await client.post("/jobs", json={"name": "Through the proxy", "execute_function": "x => x"})
    assert made.headers["location"] == f"{proxied.url}/jobs/through-the-proxy"
    assert (await client.get(f"{httpx.URL(script).path.removeprefix(httpx.URL(proxied.url).path.rstrip('/'))}")).text


async def _uploads_pass(client: httpx.AsyncClient) -> None:
    values = [{"value": "x" * 900_000} for _ in range(UPLOAD_BYTES // 900_000 + 1)]
    body = json.dumps({"query": ADD, "variables": {"v": values}})
    assert len(body) > UPLOAD_BYTES
    answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.json() == {"data": {"createVariables": {"userErrors": []}}}


async def _events_arrive_at_once(client: httpx.AsyncClient) -> None:
    accept = {"accept": "text/event-stream"}
    async with client.stream("POST", "/graphql", json={"query": ACTIVITY}, headers=accept) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:") and "poolActivity" in line:
                break
        else:
            pytest.fail("the stream ended")


async def _websockets_open(proxied: Proxied) -> None:
    url = f"wss{proxied.url.removeprefix('https')}/graphql"
    async with connect(
        url,
        host="127.0.0.1",
        port=proxied.port,
        ssl=unverified(),
        server_hostname=HOST,
        origin=f"https://{HOST}:{proxied.port}",  # type: ignore[arg-type]
        subprotocols=[Subprotocol("graphql-transport-ws")],
    ) as connection:
        await connection.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await connection.recv())["type"] == "connection_ack"
        await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": ACTIVITY}}))
        assert "poolActivity" in str(await connection.recv())
