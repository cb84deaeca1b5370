"""Packages from npm, a pool with one job, and a browser."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests import chromium, npm
from tests.processes import PATIENCE_S
from tests.warm_servers import warm_server

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "client" / "src"
VARIABLES = 60
DOUBLER = {
    "name": "Doubler",
    "execute_function": "function (variable, context) {"
    " context.result = 2 * (typeof variable === 'number' ? variable : variable.x); return context; }",
}
ADD_VARIABLES = """mutation ($input: CreateVariablesInput!) {
  createVariables(input: $input) { userErrors { message } }
}"""

Walk = Callable[..., Any]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    return npm.node_modules(HERE)


@pytest.fixture(scope="module")
def pool_url(other_origin: str) -> Iterator[str]:
    """A pool with the one job `doubler`, whose variables are `v1` = {"x": 1}, `v2` = {"x": 2}, ...

    None doubles to 0: ketting posts no body for a falsy value."""
    options = ("--allowed-origins", other_origin)
    with (
        warm_server("memory", options=options) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client,
    ):
        client.post("/jobs", json=DOUBLER).raise_for_status()
        variables = [{"id": f"v{number}", "value": {"x": number}} for number in range(1, VARIABLES + 1)]
        given = {"input": {"job": "doubler", "variables": variables}}
        client.post("/graphql", json={"query": ADD_VARIABLES, "variables": given}).raise_for_status()
        yield server.url


@pytest_asyncio.fixture
async def client(pool_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pool_url, timeout=PATIENCE_S) as opened:
        yield opened


@pytest.fixture
def walk(node_modules: Path, pool_url: str) -> Walk:
    """Runs a script of `walks/` on the pool and returns the JSON that it prints."""

    def run(script: str, *arguments: str) -> Any:
        command = ["node", "--no-warnings", str(HERE / "walks" / script), pool_url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await chromium.launch(playwright)
        yield launched
        await launched.close()


@pytest_asyncio.fixture
async def page(browser: Browser, pool_url: str) -> Page:
    """A page of the pool's own origin, without a policy of its own."""
    opened = await browser.new_page()
    await opened.goto(f"{pool_url}/readyz")
    return opened


class Sources(SimpleHTTPRequestHandler):
    """Serves the package's files; their folder's listing is the page."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given, directory=str(SOURCES))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


@pytest.fixture(scope="module")
def other_origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sources) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture
async def elsewhere(browser: Browser, other_origin: str) -> Page:
    """A page of another origin."""
    opened = await browser.new_page()
    await opened.goto(other_origin)
    return opened
