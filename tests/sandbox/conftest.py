"""One sandbox for all the tests of this folder: starting V8 costs more than most of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from sandbox import Sandbox
from tests.processes import PATIENCE_S


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    """Two workers and two spares, whose breaker never opens: each test is an owner of its own anyway."""
    async with Sandbox(workers=2, spares=2, deaths=1000) as running:
        yield running


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits for a condition."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - processes end without telling the loop
                await asyncio.sleep(0.02)

    return wait
