"""The engines that the suites of several layers run on."""

import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from storage.embedded import embedded_engine
from storage.engines import Database, open_database

ENGINES = ("memory", "embedded", "mongodb")


def missing(part: str) -> None:
    """Skip the test for want of `part`; under CI, where nothing may be missing, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks {part}")
    pytest.skip(f"needs {part}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One embedded engine for the whole run; tests take databases of their own in it."""
    async with embedded_engine(tmp_path_factory.mktemp("embedded")) as uri:
        yield uri


@pytest.fixture(params=ENGINES)
def engine_location(request: pytest.FixtureRequest) -> str:
    """Where `open_database` finds an empty database of each engine in turn."""
    if request.param == "memory":
        return "memory"
    if request.param == "embedded":
        return _own_database(request.getfixturevalue("embedded_uri"))
    uri = os.environ.get("COMP_POOL_TEST_MONGODB")
    if not uri:
        missing("a MongoDB, given as COMP_POOL_TEST_MONGODB")
    return _own_database(str(uri))


@pytest_asyncio.fixture
async def database(engine_location: str) -> AsyncIterator[Database]:
    """An empty database of each engine in turn, without indexes."""
    async with open_database(engine_location, indexes={}) as opened:
        yield opened


def _own_database(uri: str) -> str:
    return urlunsplit(urlsplit(uri)._replace(path=f"/test_{uuid4().hex}"))
