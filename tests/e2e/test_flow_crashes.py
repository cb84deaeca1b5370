"""Flows of 300 jobs while processes of the pool are killed at random moments: each ends with the model's result."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from comp_pool import PoolClient, PoolUnavailable
from sandbox import Sandbox
from storage import Flow, Store, open_store
from tests.conftest import is_ferretdb
from tests.e2e.flows import SUBMIT, Volunteer, submission
from tests.processes import RunningServer, command_line, descendants, running_server
from tests.resolvers.flows.hive import Stored, check_nothing_is_left, open_pool
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import ALWAYS, NEVER, below
from tests.runtimes import start_runtime

PATIENCE_S = 400.0
VOLUNTEERS = 4
MOST_KILLS = 4
ROUNDS = int(os.environ.get("COMP_POOL_TEST_ROUNDS", "100"))
COUNTING = {**os.environ, "PYTHONPATH": str(Path(__file__).with_name("counting"))}
"""The environment of servers that have the database count what may happen only once."""
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}
STATE = "query State($key: String!) { flow(key: $key) { state } }"


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon what is lost is found, how long a killer pauses at most, and a volunteer that found nothing to do, in
    seconds."""

    lease_s: int
    takeover_s: float
    sweep_s: float
    pause_s: float
    idle_s: float = 0.05

    @property
    def policy(self) -> dict[str, Any]:
        return {"delay_bound_seconds": self.lease_s, "max_errors": 2, "max_total": 100}

    @property
    def options(self) -> tuple[str, ...]:
        return ("--sweep-seconds", f"{self.sweep_s}", "--takeover-seconds", f"{self.takeover_s}")


QUICK = Pace(3, 1, 0.3, pause_s=3)
FERRETDB = Pace(10, 4, 2, pause_s=12, idle_s=0.5)
"""It takes its time."""


def _flow() -> Level:
    """300 jobs on seven levels: `if`s that skip, `while`s that repeat, jobs that fail."""

    def jobs(count: int, *kinds: Job) -> list[Job]:
        return [kinds[at % len(kinds)] for at in range(count)]

    plain = (Job("number", "three"), Job("object", "pair"), Job("grow"), Job("other", "text"))
    deciding = (Job("number", "zero", condition=NEVER), Job("count", "only", repeat=below(3)), Job("flaky", "one"))
    return Level(
        jobs(20, *plain, *deciding),
        [
            Level(
                jobs(80, *plain, *deciding), [Level(jobs(40, *plain)), Level(jobs(10, Job("bare", condition=NEVER)))]
            ),
            Level(jobs(50, *deciding), [Level(jobs(60, *plain, Job("bare", condition=ALWAYS)))]),
            Level(jobs(40, *plain, Job("broken", "any"))),
        ],
    )


class Slot:
    """A server that is started again on the same port after it was killed."""

    def __init__(self, database: str, workers: int, pace: Pace) -> None:
        self._database = database
        self._workers = workers
        self._pace = pace
        self._port = 0
        self._stack = ExitStack()
        self.server = self.start()

    def start(self) -> RunningServer:
        running = running_server(
            self._database, workers=self._workers, port=self._port, options=self._pace.options, env=COUNTING
        )
        self.server = self._stack.enter_context(running)
        self._port = self.server.port
        return self.server

    def kill(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self._stack.close()

    def close(self) -> None:
        self._stack.close()

    def part(self, name: str) -> int | None:
        """The process of this server whose command line has a name, if it runs now."""
        found = [each.pid for each in descendants(self.server.process.pid) if name in command_line(each)]
        return random.choice(found) if found else None


@dataclass
class Killer:
    """Kills, at random moments of a round, one of `victims`: a server, or a part of one by a name in its command
    line."""

    slots: Sequence[Slot]
    victims: Sequence[str]
    chance: random.Random
    pause_s: float
    killed: Counter[str]

    async def rage(self, ended: asyncio.Event) -> None:
        for _ in range(self.chance.randint(1, MOST_KILLS)):
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self.chance.uniform(0.1, self.pause_s))
                return
            await asyncio.to_thread(self._kill, self.chance.choice(self.slots), self.chance.choice(self.victims))

    def _kill(self, slot: Slot, victim: str) -> None:
        if victim == "server":
            slot.kill()
            slot.start()
            self.killed[victim] += 1
        elif process := slot.part(victim):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                self.killed[victim] += 1


async def _persist(
    clients: Sequence[PoolClient], ask: Callable[[PoolClient], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The answer of whichever server can answer first."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for client in clients:
            with suppress(PoolUnavailable):
                return await ask(client)
        await asyncio.sleep(0.1)
    raise AssertionError("no server answers")


async def _round(clients: Sequence[PoolClient], killer: Killer, root: Level, name: str, idle_s: float) -> str:
    """Submit a flow and have it computed; its key once it has ended."""
    ended = asyncio.Event()
    given = {**submission(root), "onFailure": "CONTINUE", "idempotencyKey": name}
    async with asyncio.TaskGroup() as group:
        group.create_task(killer.rage(ended))
        payload = await _persist(clients, lambda client: client.mutate(SUBMIT, **given))
        for _ in range(VOLUNTEERS):
            volunteer = Volunteer(clients, random.Random(killer.chance.random()), idle_s=idle_s)
            group.create_task(volunteer.work(ended))
        key: str = payload["flow"]["key"]
        deadline = time.monotonic() + PATIENCE_S
        while (await _persist(clients, lambda client: client.call(STATE, key=key)))["flow"]["state"] not in ENDED:
            assert time.monotonic() < deadline, f"the flow {key} does not end"
            await asyncio.sleep(0.2)
        ended.set()
    return key


@dataclass
class Tally:
    """What was played, over all rounds of a test."""

    seconds: list[float] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        mean = sum(self.seconds) / len(self.seconds)
        return (
            f"{len(self.seconds)} rounds, {dict(self.killed)} killed, "
            f"{mean:.1f} s a round, the longest {max(self.seconds):.1f} s"
        )


async def _play(
    database: str,
    *,
    victims: Sequence[str],
    rounds: int,
    servers: int = 1,
    workers: int = 1,
    pace: Pace = QUICK,
) -> Tally:
    """So many flows, one after another, on one database."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    root = _flow()
    async with open_store(database) as store, Sandbox(workers=1) as sandbox:
        await open_pool(await start_runtime(store, sandbox), **pace.policy)
    slots: list[Slot] = []
    keys: list[str] = []
    tally = Tally()
    try:
        slots += [await asyncio.to_thread(Slot, database, workers, pace) for _ in range(servers)]
        killer = Killer(slots, victims, random.Random(seed), pace.pause_s, tally.killed)
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(PoolClient(slot.server.url)) for slot in slots]
            for number in range(rounds):
                began = time.monotonic()
                keys.append(await _round(clients, killer, root, f"round {number}", pace.idle_s))
                tally.seconds.append(time.monotonic() - began)
    finally:
        for slot in slots:
            await asyncio.to_thread(slot.close)
    await _check_the_books(database, keys, root)
    print(tally)
    return tally


async def _check_the_books(database: str, keys: Sequence[str], root: Level) -> None:
    async with open_store(database) as store, Sandbox(workers=1) as sandbox:
        runtime = await start_runtime(store, sandbox)
        for key in keys:
            flow = await store.flows.get(Flow.id_of(key))
            assert flow is not None
            (await Stored.read(runtime, flow, root)).check()
            await check_nothing_is_left(runtime, flow, reporting=True)
            await _check_that_all_happened_once(store, flow)


async def _check_that_all_happened_once(store: Store, flow: Flow) -> None:
    """Each level began and merged once, and each run's canonical result was used once: to repeat its job or to end
    it."""
    [ended] = await store.database.collection("flows").find({"_id": flow.id}, limit=1)
    assert ended["times_ended"] == 1, ended
    whole = {"flow": {"$eq": flow.id}}
    for level in await store.database.collection("levels").find(whole, limit=flow.levels):
        assert (level["times_begun"], level["times_ended"]) == (1, 1), level
    for job in await store.database.collection("flow_jobs").find(whole, limit=flow.jobs):
        assert (job["times_ended"], job.get("times_repeated", 0)) == (1, job["iteration"]), job


PARTS = ("server", "embedded/launcher", "sandbox")


async def test_a_flow_survives_the_only_process_its_store_and_its_sandbox(tmp_path: Path) -> None:
    await _play(str(tmp_path / "pool"), victims=PARTS, rounds=3)


async def test_a_flow_survives_each_of_two_processes_on_one_store(tmp_path: Path) -> None:
    await _play(str(tmp_path / "pool"), workers=2, victims=["server.process"], rounds=2)


@pytest.mark.parametrize("engine_location", ["mongodb"], indirect=True)
async def test_a_flow_survives_each_of_two_servers_on_one_database(
    engine_location: str, mongodb: MongoClient[dict[str, Any]]
) -> None:
    await _play(engine_location, servers=2, victims=["server"], rounds=1, pace=_pace(mongodb))


def _pace(mongodb: MongoClient[dict[str, Any]]) -> Pace:
    return FERRETDB if is_ferretdb(mongodb) else QUICK


@pytest.mark.soak
async def test_a_hundred_flows_survive_the_only_process_its_store_and_its_sandbox(tmp_path: Path) -> None:
    await _play(str(tmp_path / "pool"), victims=PARTS, rounds=ROUNDS)


@pytest.mark.soak
async def test_a_hundred_flows_survive_each_of_two_processes_on_one_store(tmp_path: Path) -> None:
    await _play(str(tmp_path / "pool"), workers=2, victims=["server.process"], rounds=ROUNDS)


@pytest.mark.soak
@pytest.mark.parametrize("engine_location", ["mongodb"], indirect=True)
async def test_a_hundred_flows_survive_each_of_two_servers_on_one_database(
    engine_location: str, mongodb: MongoClient[dict[str, Any]]
) -> None:
    """A round each on an empty database: FerretDB 1 decodes whole collections, and five rounds on one database
    took 146 s each instead of 40."""
    total = Tally()
    for _ in range(ROUNDS):
        played = await _play(engine_location, servers=2, victims=["server"], rounds=1, pace=_pace(mongodb))
        mongodb.drop_database(urlsplit(engine_location).path.removeprefix("/"))
        total.seconds += played.seconds
        total.killed += played.killed
    print(f"in all: {total}")
