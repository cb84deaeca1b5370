"""Commands that work on a pool's store, whether a server runs on it or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from resolvers.errors import PoolError
from resolvers.runtime import Runtime
from server.offline import runtime_over
from server.problems import Failure, one_line
from server.settings import Settings
from storage import open_store
from storage.embedded import EngineFailed, running_engine
from storage.engines import BadLocation, StorageUnavailable
from storage.engines.schema_version import NewerSchema

T = TypeVar("T")

database_option = click.option(
    "--database",
    metavar="TEXT",
    envvar="COMP_POOL_DATABASE",
    help="The pool's store, as `comp-pool serve` has it: a mongodb:// URI, or a directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, one line a member.")


def on_store(database: str | None, work: Callable[[Runtime], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns on the pool that is kept there (None: where the settings say). Raises Failure."""
    settings = Settings() if database is None else Settings(database=database)
    if settings.database == "memory":
        raise Failure("a store in memory is its server's own: name a directory or a mongodb:// URI")
    try:
        return asyncio.run(_on_store(settings, work))
    except (PoolError, BadLocation, EngineFailed, NewerSchema, StorageUnavailable) as problem:
        raise Failure(one_line(problem)) from problem


async def _on_store(settings: Settings, work: Callable[[Runtime], Awaitable[T]]) -> T:
    location = settings.database
    if not location.startswith("mongodb"):
        # A server that runs on the directory shares its engine.
        location = str(Path(location).absolute())  # noqa: ASYNC240 - looks at no file
        location = await running_engine(Path(location)) or location
    async with open_store(location) as store:
        return await work(await runtime_over(store, settings))
