"""A client that watches a flow over a connection, and volunteers that compute it meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comp_pool import PoolClient
from sandbox import Sandbox
from storage import open_store
from tests.e2e.flows import SUBMIT, Volunteer, submission
from tests.e2e.transports import Subscribe
from tests.processes import RunningServer
from tests.resolvers.flows.hive import open_pool
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import NEVER, below
from tests.runtimes import start_runtime

PATIENCE_S = 180.0
ROOT = Level(
    [Job("count", "only", repeat=below(4)), Job("number", "zero", condition=NEVER)],
    [
        Level([Job("number", "three")] * 30 + [Job("flaky", "one", policy={"max_errors": 1})] * 10),
        Level([Job("object", "pair")] * 20, [Level([Job("bare", condition=NEVER)] * 5 + [Job("grow")])]),
    ],
)
PROGRESS = """subscription Progress($id: ID!, $after: String) {
  flowProgress(id: $id, after: $after) {
    cursor state generation reset
    progress { total fraction byState { waiting queued running completed failed skipped cancelled } }
    changed { number state iteration }
  }
}"""
NODES = """query Nodes($key: String!) { flow(key: $key) { nodes(first: 100) { nodes { number state iteration } } } }"""
ENDED = ("COMPLETED", "FAILED", "CANCELLED")


@dataclass(slots=True)
class Dashboard:
    """What a client makes of what it is sent."""

    jobs: dict[int, tuple[str, int]] = field(default_factory=dict)
    deltas: list[dict[str, Any]] = field(default_factory=list)

    def take(self, delta: dict[str, Any], jobs: Callable[[], dict[int, tuple[str, int]]]) -> None:
        """`jobs` reads all of them, for a delta that tells the client to."""
        counts = delta["progress"]
        assert sum(counts["byState"].values()) == counts["total"]
        if self.deltas and self.deltas[-1]["generation"] == delta["generation"]:
            before = self.deltas[-1]["progress"]
            assert counts["fraction"] >= before["fraction"]
            assert counts["byState"]["completed"] >= before["byState"]["completed"]
        self.deltas.append(delta)
        if delta["reset"]:
            self.jobs = jobs()
        self.jobs |= _by_number(delta["changed"])

    @property
    def ended(self) -> bool:
        return bool(self.deltas) and self.deltas[-1]["state"] in ENDED

    async def follow(self, server: RunningServer, key: str, transport: Subscribe, most: int = 1_000_000) -> None:
        """Watch until the flow ends or `most` deltas came, and go on from where it was."""
        after = self.deltas[-1]["cursor"] if self.deltas else None
        async with aclosing(transport(server.url, PROGRESS, id=key, after=after)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                self.take(answer["flowProgress"], lambda: nodes(server, key))
                most -= 1
                if not most:
                    return


def nodes(server: RunningServer, key: str) -> dict[int, tuple[str, int]]:
    return _by_number(server.ask(NODES, key=key)["flow"]["nodes"]["nodes"])


def _by_number(jobs: list[dict[str, Any]]) -> dict[int, tuple[str, int]]:
    return {each["number"]: (each["state"], each["iteration"]) for each in jobs}


async def fill(database: Path) -> None:
    async with open_store(str(database)) as store, Sandbox(workers=1) as sandbox:
        # What a killed server handed out comes back soon.
        await open_pool(await start_runtime(store, sandbox), delay_bound_seconds=5, max_total=100)


async def submitted(server: RunningServer, root: Level) -> str:
    async with PoolClient(server.url) as client:
        key: str = (await client.mutate(SUBMIT, **submission(root), onFailure="CONTINUE"))["flow"]["key"]
        return key


@asynccontextmanager
async def volunteers(server: RunningServer, count: int = 2) -> AsyncIterator[None]:
    """Hosts that take their time, while the block runs."""
    ended = asyncio.Event()
    async with PoolClient(server.url) as client, asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(Volunteer([client], random.Random(number), most=3, pause_s=0.1).work(ended))
        yield
        ended.set()
