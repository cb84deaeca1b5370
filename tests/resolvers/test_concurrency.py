"""Many volunteers at two server processes on one store, in random turns: cheats, errors, releases, lost leases."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
import pytest_asyncio

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import hosts, leases, reports, unleased_results
from sandbox import Sandbox
from storage import Store, UnitState, open_store
from tests.resolvers.playing import (
    Books,
    Clock,
    Volunteer,
    carry_on,
    check_credit,
    double,
    interleaved,
    leases_of,
    new_job,
    post,
    process,
)

PATIENCE_S = 180


@pytest_asyncio.fixture(loop_scope="session")
async def common_store(engine_location: str) -> AsyncIterator[Store]:
    async with open_store(engine_location) as opened:
        yield opened


async def _unfinished(store: Store) -> int:
    return sum([await store.variables.count({"state": state}) for state in (UnitState.NEW, UnitState.OPEN)])


async def _compute(volunteer: Volunteer, processes: Sequence[Runtime], clock: Clock, chance: random.Random) -> None:
    """Take part until nothing is left to do, in all the ways in which a host may."""
    while await _unfinished(processes[0].store):
        claimed = await volunteer.claim(chance.choice(processes), chance.randint(1, 6))
        units = [each.unit.id for each in claimed]
        assert len(set(units)) == len(units)
        if not claimed:
            clock.advance(1)
            await asyncio.sleep(0)
            continue
        at = chance.choice(processes)
        mood = chance.random()
        if mood < 0.1:
            continue
        if mood < 0.2:
            await leases.release(at, leases_of(claimed))
        elif mood < 0.3 and volunteer.shaky:
            failed = [reports.Report(each.task.id, each.task.lease, error="it threw") for each in claimed]
            await reports.submit(at, volunteer.host, failed)
        elif mood < 0.4:
            await asyncio.gather(*(volunteer.submit(chance.choice(processes), claimed) for _ in range(2)))
        else:
            await asyncio.gather(*(volunteer.submit(chance.choice(processes), [each]) for each in claimed))


async def _pass_time(processes: Sequence[Runtime], clock: Clock, chance: random.Random) -> None:
    while await _unfinished(processes[0].store):
        clock.advance(chance.uniform(0, 90))
        await sweep(chance.choice(processes))
        await asyncio.sleep(0)


async def _compete(
    store: Store, sandbox: Sandbox, chance: random.Random, monkeypatch: pytest.MonkeyPatch, **policy: int
) -> None:
    clock = Clock()
    processes = [await process(store.database, sandbox, clock, seed=chance.getrandbits(32)) for _ in range(2)]
    await new_job(processes[0], policy={"max_total": 100, "max_errors": 100, **policy})
    ways = [double, double, double, double, double, lambda value: -value, lambda value: value + 0.5]
    volunteers = [Volunteer((await hosts.identify(processes[0], None)).key, way) for way in ways]
    # A host whose run failed gets no other replica of the variable: the rest must be enough for the quorum.
    for volunteer in volunteers[:2]:
        volunteer.shaky = True
    await asyncio.gather(*(post(chance.choice(processes), "double", range(at, at + 5)) for at in range(100, 120, 5)))
    with interleaved(monkeypatch, chance) if store.database.uri == "mock" else nullcontext():
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(
                _pass_time(processes, clock, chance),
                *(_compute(volunteer, processes, clock, chance) for volunteer in volunteers),
            )
    await carry_on(processes[1], clock, (), rounds=2)
    books = await Books.read(store, "double")
    assert len(books.variables) == 20
    if policy.get("quorum", 1) > 1:
        books.check_finished()
    else:
        books.check_finished(lambda _: pytest.approx(0, abs=1e9))
    await check_credit(store, books)


async def test_every_variable_gets_the_one_canonical_result_that_two_hosts_agree_on(
    common_store: Store, sandbox: Sandbox, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _compete(common_store, sandbox, chance, monkeypatch, quorum=2)


async def test_more_results_than_the_quorum_needs_leave_one_canonical_result(
    common_store: Store, sandbox: Sandbox, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _compete(common_store, sandbox, chance, monkeypatch, quorum=2, target_results=4)


async def test_one_result_is_enough_where_the_quorum_is_one(
    common_store: Store, sandbox: Sandbox, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _compete(common_store, sandbox, chance, monkeypatch, quorum=1)


class Gate:
    """Stands before a method: who comes there waits until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, repository: object, method: str) -> None:
        self._reached, self._open = asyncio.Event(), asyncio.Event()
        self._method = getattr(repository, method)
        monkeypatch.setattr(repository, method, self._pass)

    async def _pass(self, *said: Any, **more: Any) -> Any:
        self._reached.set()
        await self._open.wait()
        return await self._method(*said, **more)

    async def reached_by(self, work: asyncio.Task[Any]) -> None:
        reached = asyncio.create_task(self._reached.wait())
        await asyncio.wait([work, reached], return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
        assert self._reached.is_set()

    def open(self) -> None:
        self._open.set()


@pytest.mark.parametrize("slow", ["the replica", "the decision"])
async def test_a_replica_that_is_added_while_its_variable_is_decided_is_cancelled(
    common_store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Whichever of two processes stood still before it stored its part."""
    adding, deciding = [await process(common_store.database, sandbox, Clock(), seed) for seed in range(2)]
    await new_job(adding, policy={"quorum": 2, "max_total": 10})
    [variable] = await post(adding, "double", [21])
    cheat, honest = [Volunteer((await hosts.identify(adding, None)).key, way) for way in (lambda _: 0, double)]
    claimed = await honest.claim(adding)
    await cheat.work(adding)
    if slow == "the replica":
        before = Gate(monkeypatch, adding.store.tasks, "insert_many")
    else:
        before = Gate(monkeypatch, adding.store.variables, "raise_total")
    dissenting = asyncio.create_task(honest.submit(adding, claimed))
    await before.reached_by(dissenting)
    # One more vote for the honest result, from a client that was given no task.
    vote = unleased_results.submit(deciding, "double", variable.key, "legacy", value=42)
    if slow == "the replica":
        await vote
        before.open()
        await dissenting
    else:
        decision = Gate(monkeypatch, deciding.store.variables, "decide")
        voting = asyncio.create_task(vote)
        await decision.reached_by(voting)
        before.open()
        await dissenting
        decision.open()
        await voting
    books = await Books.read(common_store, "double")
    assert books.variables[0].total == 3
    books.check_finished()
