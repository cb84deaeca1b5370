"""The engines that the suites of several layers run on."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from storage.embedded import embedded_engine
from storage.engines import Database, open_database

ENGINES = ("mock", "embedded", "mongodb")

# An example may take as long as the machine lets it: other processes may have the processors.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


RAM_DISK = "/dev/shm"
ROOM = 1 << 31
"""What a run may take there, in bytes."""


def has_ram_disk() -> bool:
    """Whether there is a disk that nobody waits for, on which programs may run."""
    try:
        disk = os.statvfs(RAM_DISK)
    except OSError:
        return False
    return not disk.f_flag & os.ST_NOEXEC and disk.f_bavail * disk.f_frsize > ROOM


# The stores of the tests are killed, and not their machine: what a store has written is there, whatever the disk.
if "TMPDIR" not in os.environ and has_ram_disk():
    os.environ["TMPDIR"] = RAM_DISK


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for something most of their time."""
    return (os.cpu_count() or 1) + 1


def lacking(part: str) -> NoReturn:
    """Skip the test for want of `part`; under CI, where nothing may be missing, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks {part}")
    pytest.skip(f"needs {part}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One embedded engine for the whole run; tests take databases of their own in it."""
    async with embedded_engine(tmp_path_factory.mktemp("embedded")) as uri:
        yield uri


@pytest.fixture(scope="session")
def mongodb() -> Iterator[MongoClient[dict[str, Any]]]:
    """The MongoDB, or what stands in for it, at COMP_POOL_TEST_MONGODB. Without Go even CI has none."""
    uri = os.environ.get("COMP_POOL_TEST_MONGODB", "")
    if not uri and shutil.which("go") is None:
        pytest.skip("needs a MongoDB at COMP_POOL_TEST_MONGODB, or Go to build one")
    if not uri:
        lacking("a MongoDB at COMP_POOL_TEST_MONGODB")
    with MongoClient[dict[str, Any]](uri) as client:
        yield client


def is_ferretdb(mongodb: MongoClient[dict[str, Any]]) -> bool:
    return "ferretdbVersion" in mongodb.admin.command("buildInfo")


@pytest.fixture
def replica_set_location() -> Iterator[str]:
    """An empty database of the MongoDB replica set, or what stands in for it, at COMP_POOL_TEST_REPLICA_SET."""
    uri = os.environ.get("COMP_POOL_TEST_REPLICA_SET", "")
    if uri == "none" or (not uri and shutil.which("mvn") is None):
        pytest.skip("needs a replica set at COMP_POOL_TEST_REPLICA_SET, or Maven to fetch what stands in for one")
    if not uri:
        lacking("a replica set at COMP_POOL_TEST_REPLICA_SET")
    name = f"test_{uuid4().hex}"
    yield _database_at(uri, name)
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(name)


@pytest.fixture(params=ENGINES)
def engine_location(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where `open_database` finds an empty database of each engine in turn."""
    name = f"test_{uuid4().hex}"
    if request.param == "mock":
        yield "mock"
    elif request.param == "embedded":
        yield _database_at(request.getfixturevalue("embedded_uri"), name)
    else:
        client = request.getfixturevalue("mongodb")
        yield _database_at(os.environ["COMP_POOL_TEST_MONGODB"], name)
        client.drop_database(name)


@pytest.fixture
def shared_location(engine_location: str) -> str:
    """Where several processes may work on an empty database of each engine that is made for it."""
    if engine_location == "mock":
        pytest.skip("a mock is not shared")
    return engine_location


@pytest_asyncio.fixture
async def database(engine_location: str) -> AsyncIterator[Database]:
    """An empty database of each engine in turn, without indexes."""
    async with open_database(engine_location, indexes={}) as opened:
        yield opened


@pytest.fixture
def large_location(shared_location: str, request: pytest.FixtureRequest) -> str:
    """The same for tens of thousands of documents, which FerretDB 1 would all decode for nearly every filter."""
    on_mongodb = request.node.callspec.params["engine_location"] == "mongodb"
    if on_mongodb and is_ferretdb(request.getfixturevalue("mongodb")):
        pytest.skip("FerretDB 1 would take hours")
    return shared_location


def _database_at(uri: str, name: str) -> str:
    return urlunsplit(urlsplit(uri)._replace(path=f"/{name}"))
