"""Opening the database that holds the pool, wherever it is."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mongomock_motor import AsyncMongoMockClient
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError, OperationFailure

from storage.embedded import embedded_engine
from storage.engines import retries
from storage.engines.changes import Changes
from storage.engines.clock import Clock
from storage.engines.collection import Collection, Index
from storage.engines.retries import StorageUnavailable, until_answered
from storage.engines.schema_version import check_schema_version
from storage.guard import Guard

log = logging.getLogger(__name__)

CLOCK_EVERY_S = 60.0
"""How often the database is asked for its time, in seconds."""
CLOCK_TRIES = 5
"""How often at the most it is asked until it answers quickly."""

DEFAULT_NAME = "comp_pool"
"""The database that is used when the URI names none."""

# What only this one tells about its build. It reads documents, changes them and writes them back.
_FERRETDB_1 = "ferretdbVersion"

MEMORY = "memory"
MOCK = "mock"

_SCHEMES = ("mongodb://", "mongodb+srv://")


class BadLocation(Exception):
    """A database's URI can't be read."""


class Database:
    """An open database of one of the engines.

    Attributes:
        uri: where other processes of the same server reach the database; a "mock" can't be shared.
        operations: how many operations of each name ("find", "update_one", ...) were issued so far.
        clock: the time that all processes over the database agree on.
        directory: where its data is, if this process's engine keeps it; else None.
    """

    def __init__(self, motor: Any, uri: str) -> None:
        """Wrap the Motor database `motor`."""
        self._motor = motor
        self._collections: dict[str, Collection] = {}
        self.uri = uri
        self.operations: Counter[str] = Counter()
        self.clock = Clock()
        self.directory: Path | None = None

    def collection(self, name: str) -> Collection:
        """Return the collection `name`, which need not exist yet.

        Raises:
            UnsafeOperation: `name` has characters other than lower-case letters and underscores.
        """
        if name not in self._collections:
            self._collections[name] = Collection(self._motor[name], Guard(name), self.operations)
        return self._collections[name]

    def changes(self, *collections: str) -> Changes:
        """When documents of these collections change."""
        return Changes(self._motor, collections)

    @contextmanager
    def count(self) -> Iterator[Counter[str]]:
        """Count the operations issued within the `with` block; the counter is filled when the block ends."""
        before = self.operations.copy()
        during: Counter[str] = Counter()
        try:
            yield during
        finally:
            during.update(self.operations - before)

    async def ping(self) -> None:
        """Return once the database answers.

        Raises:
            StorageUnavailable: it doesn't.
        """
        await until_answered(lambda: self._motor.command("ping"))

    async def set_clock(self) -> None:
        """Set the clock by the database's, where that tells the time.

        Raises:
            StorageUnavailable: it doesn't answer.
        """
        with suppress(OperationFailure, KeyError):
            for _ in range(CLOCK_TRIES):
                if await self.clock.set_by(self._told_ms):
                    return

    async def _told_ms(self) -> int:
        told = await until_answered(lambda: self._motor.command("hello"))
        return int(told["localTime"].replace(tzinfo=UTC).timestamp() * 1000)


@asynccontextmanager
async def open_database(location: str, *, indexes: Mapping[str, Sequence[Index]]) -> AsyncIterator[Database]:
    """Open the database at `location` and close it afterwards.

    Args:
        location: a MongoDB URI, whose path names the database; an embedded engine's directory; "memory" for one in a
            directory that is removed at the end; or "mock" for an imitation in this process, which tests of the layers
            above take for its speed with few documents.
        indexes: the indexes of each collection, created where they are missing.

    Raises:
        BadLocation: the URI is none.
        StorageUnavailable: the database doesn't answer.
        NewerSchema: a newer release wrote the data.
        EngineFailed, DirectoryInUse, SqliteMismatch: see `storage.embedded`.
    """
    if location == MOCK:
        database = Database(AsyncMongoMockClient()[DEFAULT_NAME], location)
        await _prepare(database, indexes)
        yield database
    elif location == MEMORY:
        with TemporaryDirectory(prefix="comp-pool-", ignore_cleanup_errors=True) as directory:
            async with open_database(directory, indexes=indexes) as database:
                yield database
    elif location.startswith(_SCHEMES):
        async with _connected(location, indexes) as database:
            yield database
    else:
        async with (
            embedded_engine(Path(location)) as uri,
            _connected(uri, indexes) as database,
        ):
            database.directory = Path(location)
            yield database


@asynccontextmanager
async def _connected(uri: str, indexes: Mapping[str, Sequence[Index]]) -> AsyncIterator[Database]:
    client = _client(uri)
    try:
        about = await until_answered(lambda: client.admin.command("buildInfo"))
        if _FERRETDB_1 in about:
            log.warning(
                "FerretDB 1 loses some of the updates that reach it at the same time: use it to try things out, "
                "with one server process and maxPoolSize=1 in its URI."
            )
        database = Database(client.get_default_database(DEFAULT_NAME), uri)
        await database.set_clock()
        await _prepare(database, indexes)
        setting = asyncio.create_task(_keep_setting(database), name="pool clock")
        try:
            yield database
        finally:
            setting.cancel()
    finally:
        client.close()


async def _keep_setting(database: Database) -> None:
    while True:
        await asyncio.sleep(CLOCK_EVERY_S)
        with suppress(StorageUnavailable):
            await database.set_clock()


def _client(uri: str) -> AsyncIOMotorClient[Any]:
    try:
        return AsyncIOMotorClient(uri, serverSelectionTimeoutMS=retries.PATIENCE_S * 1000)
    except (ValueError, ConfigurationError) as problem:
        raise BadLocation(f"The database's URI is wrong: {problem}") from problem


async def _prepare(database: Database, indexes: Mapping[str, Sequence[Index]]) -> None:
    await check_schema_version(database.collection("meta"))
    for name, wanted in indexes.items():
        for index in wanted:
            await database.collection(name).create_index(index)
