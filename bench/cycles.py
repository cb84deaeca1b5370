"""Claim and submit cycles a second, over the same storage operations issued straight through Motor."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import monitoring

from bench import pools
from bench.figures import Figure
from resolvers.runtime import Runtime
from schema.machinery.context import Context
from schema.schema import schema
from storage import open_store
from storage.engines.database import DEFAULT_NAME

PER_SECOND = "tasks/s"
OF_THE_SESSION = {"lsid", "$db", "$readPreference", "txnNumber", "$clusterTime"}
COPY = "copy"

CLAIM = """mutation($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host tasks { id variable lease { token } } userErrors { message }
} }"""
SUBMIT = """mutation($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict } userErrors { message }
} }"""


class Recorder(monitoring.CommandListener):
    """Keeps the commands that a driver sends while `recording`."""

    def __init__(self) -> None:
        self.recording = False
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.recording:
            self.commands.append({name: value for name, value in event.command.items() if name not in OF_THE_SESSION})

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def cycles(tasks: int) -> Iterator[Figure]:
    """Figures of `tasks` tasks that are claimed and submitted one by one, and as many in requests of 50 each, by
    one volunteer over GraphQL, without HTTP, on the embedded engine."""
    recorder = Recorder()
    monitoring.register(recorder)
    for at_once in (1, 50):
        with tempfile.TemporaryDirectory(prefix="comp-pool-bench-") as directory:
            ours, theirs, operations = asyncio.run(_compared(str(Path(directory) / "pool"), recorder, tasks, at_once))
        name = "one task a request" if at_once == 1 else f"{at_once} tasks a request"
        yield Figure(
            f"{name}: storage operations a task",
            operations / tasks,
            "operations",
            operations / tasks,
            12 if at_once == 1 else 1,
        )
        yield Figure(f"{name}: those operations straight through Motor", tasks / theirs, PER_SECOND)
        yield Figure(f"{name}: claim and submit, time over Motor's", tasks / ours, PER_SECOND, ours / theirs)


async def _compared(database: str, recorder: Recorder, tasks: int, at_once: int) -> tuple[float, float, int]:
    """Seconds for the cycles, seconds for their storage operations alone, and how many these were."""
    async with pools.open_runtime(database) as runtime:
        await pools.add_job(runtime, "few", 2 * tasks)
        host = await _cycle(runtime, None, 1)
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(runtime.store.database.uri)
        await _copy(runtime.store.database.uri, client)
        recorder.commands.clear()
        recorder.recording = True
        began = time.perf_counter()
        for _ in range(tasks // at_once):
            await _cycle(runtime, host, at_once)
        ours = time.perf_counter() - began
        recorder.recording = False
        commands = list(recorder.commands)
        theirs = await _replayed(client[COPY], commands)
        client.close()
    return ours, theirs, len(commands)


async def _cycle(runtime: Runtime, host: str | None, at_once: int) -> str:
    claimed = await _ask(runtime, CLAIM, {"first": at_once, "host": host})
    results = [
        {"task": task["id"], "lease": task["lease"]["token"], "value": task["variable"]["x"] * 2}
        for task in claimed["tasks"]
    ]
    await _ask(runtime, SUBMIT, {"host": claimed["host"], "results": results})
    return str(claimed["host"])


async def _ask(runtime: Runtime, mutation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    result = await schema.execute(mutation, {"input": given}, context_value=Context(runtime, "bench"))
    if result.errors:
        raise result.errors[0]
    [answer] = orjson.loads(orjson.dumps(result.data)).values()
    if answer["userErrors"]:
        raise ValueError(answer["userErrors"][0]["message"])
    return dict(answer)


async def _copy(uri: str, client: AsyncIOMotorClient[dict[str, Any]]) -> None:
    """The pool's database under another name, with the same indexes: the commands find there what they found."""
    async with open_store(urlunsplit(urlsplit(uri)._replace(path=f"/{COPY}"))):
        source, target = client.get_default_database(DEFAULT_NAME), client[COPY]
        for name in await source.list_collection_names():
            documents = await source[name].find().to_list(None)
            known = {document["_id"] async for document in target[name].find()}
            if new := [document for document in documents if document["_id"] not in known]:
                await target[name].insert_many(new)


async def _replayed(database: AsyncIOMotorDatabase[dict[str, Any]], commands: list[dict[str, Any]]) -> float:
    began = time.perf_counter()
    for command in commands:
        await database.command(command)
    return time.perf_counter() - began
