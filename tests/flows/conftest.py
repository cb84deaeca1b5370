"""One sandbox and one event loop for all the tests of this folder; each gets a store of its own."""

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage.store import Store, open_store
from tests.resolvers.pool import Clock, process


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(__file__.rsplit("/", 1)[0]) and pytest_asyncio.is_async_test(item):
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
    async with open_store("memory") as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def runtime(store: Store, sandbox: Sandbox, clock: Clock) -> Runtime:
    return await process(store.database, sandbox, clock)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Randomness that is the same in every run of one test."""
    return random.Random(request.node.nodeid)
