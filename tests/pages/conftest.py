"""A real Chromium, and pools for its pages to talk to."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from tests import npm
from tests.chromium import launch
from tests.processes import PATIENCE_S, RunningServer
from tests.warm_servers import warm_server

HERE = Path(__file__).parent
PICTURES = Path(os.environ.get("COMP_POOL_TEST_PICTURES", HERE.parents[1] / ".artifacts" / "pages"))

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    """One browser for the whole run; tests take contexts of their own in it."""
    browser = await launch(playwright)
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser that was never here before."""
    context = await chromium.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    yield context
    await context.close()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RunningServer]:
    """A pool for tests that bring jobs of their own and ask for nothing else."""
    with warm_server("memory") as server:
        yield server


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """An empty pool of the test's own."""
    with warm_server("memory", options=("--sweep-seconds", "0.2")) as server:
        yield server


@pytest.fixture
def pictures() -> Path:
    """Where screenshots are kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core (https://github.com/dequelabs/axe-core), which finds what is not accessible."""
    script = npm.node_modules(HERE) / "axe-core" / "axe.min.js"
    return script.read_text(encoding="utf-8")
