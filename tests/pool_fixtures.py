"""A pool without a server, for the suites of the layers below it: one sandbox and one event loop for all tests of a
folder; each test gets a store of its own."""

import random
from collections.abc import AsyncIterator, Sequence
from inspect import iscoroutinefunction
from pathlib import Path

import pytest
import pytest_asyncio

from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage import Store, open_store
from tests.resolvers.playing import Clock, process


def share_one_loop(items: Sequence[pytest.Item], folder: Path) -> None:
    """Have the tests below a folder run in the sandbox's event loop, those that hypothesis wraps too."""
    for item in items:
        test = getattr(item, "function", None)
        inner = getattr(getattr(test, "hypothesis", None), "inner_test", test)
        if item.path.is_relative_to(folder) and iscoroutinefunction(inner):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=2, spares=1, deaths=1000) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture(loop_scope="session")
async def store() -> AsyncIterator[Store]:
    async with open_store("mock") as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def runtime(store: Store, sandbox: Sandbox, clock: Clock) -> AsyncIterator[Runtime]:
    running = await process(store.database, sandbox, clock)
    yield running
    await running.close()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Randomness that is the same in every run of one test."""
    return random.Random(request.node.nodeid)
