"""A process may end between any two storage operations: the others carry its flows to the same end, and nothing of
them happens twice."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from resolvers import sweeping
from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage.documents import FlowJob
from storage.documents import Level as StoredLevel
from storage.flow_nodes import FlowJobs, Levels
from storage.store import Store, open_store
from tests.flows.hive import CHEAT, HONEST, Stored, Volunteers, check_nothing_is_left, open_pool, submit
from tests.flows.model import Job, Level
from tests.flows.written import ALWAYS, NEVER, THROWING, below
from tests.resolvers.pool import Clock, Died, mortal, process

NESTED = Level(
    [Job("number", "three", alias="last"), Job("count", repeat=below(3), alias="n")],
    [
        Level([Job("object", "pair"), Job("number", "zero", condition=NEVER)]),
        Level([Job("grow")], [Level([Job("number", condition=NEVER), Job("bare", condition=NEVER)])]),
    ],
)
FLOWS = {
    "nested": NESTED,
    "all skipped": Level([Job("number", condition=NEVER)], [Level([Job("bare", condition=NEVER)])] * 2),
    "if throws": Level(
        [Job("bare")], [Level([Job("number", "three")]), Level([Job("bare", condition=THROWING[0]), Job("grow")])]
    ),
    "if throws at the root": Level([Job("bare", condition=THROWING[1]), Job("grow")], [Level([Job("bare")])]),
    "while throws": Level([Job("bare", repeat=THROWING[0]), Job("number", "zero")], [Level([Job("bare")])]),
    "while for ever": Level([Job("count", repeat=ALWAYS, policy={"max_iterations": 2}), Job("number", "zero")]),
    "broken": Level([Job("bare")], [Level([Job("broken", policy={"max_errors": 1}), Job("number", "zero")])]),
    "quorum": Level([Job("number", "zero", policy={"quorum": 2}), Job("count", policy={"quorum": 2}, repeat=below(2))]),
}

MOST_OPERATIONS = 1_000
SOME = 11
"""Of all the operations after which a process may end, every eleventh is tried by the quick test."""


@contextmanager
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[tuple[Any, ...]]]:
    """How often each level began and ended, and each run of a job was taken in, a generation."""
    happened: Counter[tuple[Any, ...]] = Counter()
    begin, end_level, end_job, repeat = Levels.begin, Levels.end, FlowJobs.end, FlowJobs.repeat

    async def begins(self: Levels, level: StoredLevel, *said: Any, **more: Any) -> bool:
        begun = await begin(self, level, *said, **more)
        happened["begun", level.id, level.generation] += begun
        return begun

    async def ends(self: Levels, level: str, generation: int, *said: Any, **more: Any) -> bool:
        ended = await end_level(self, level, generation, *said, **more)
        happened["merged", level, generation] += ended
        return ended

    async def takes(self: FlowJobs, job: FlowJob, *said: Any, **more: Any) -> bool:
        taken = await end_job(self, job, *said, **more)
        happened["taken", job.id, job.generation, job.iteration] += taken
        return taken

    async def repeats(self: FlowJobs, job: FlowJob, **more: Any) -> bool:
        again = await repeat(self, job, **more)
        happened["taken", job.id, job.generation, job.iteration] += again
        return again

    with monkeypatch.context() as patch:
        patch.setattr(Levels, "begin", begins)
        patch.setattr(Levels, "end", ends)
        patch.setattr(FlowJobs, "end", takes)
        patch.setattr(FlowJobs, "repeat", repeats)
        yield happened


@pytest.mark.parametrize("keep_going", [False, True], ids=["FAIL", "CONTINUE"])
@pytest.mark.parametrize("name", FLOWS)
async def test_a_flow_ends_as_the_model_says_though_its_process_ended(
    name: str, keep_going: bool, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _end_at(
        range(random.Random(name).randrange(SOME), MOST_OPERATIONS, SOME), name, keep_going, sandbox, monkeypatch
    )


@pytest.mark.soak
@pytest.mark.parametrize("keep_going", [False, True], ids=["FAIL", "CONTINUE"])
@pytest.mark.parametrize("name", FLOWS)
async def test_a_flow_ends_as_the_model_says_wherever_its_process_ended(
    name: str, keep_going: bool, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _end_at(range(MOST_OPERATIONS), name, keep_going, sandbox, monkeypatch)


async def _end_at(
    operations: range, name: str, keep_going: bool, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = (*HONEST, CHEAT) if name == "quorum" else HONEST
    for survived in operations:
        async with open_store("memory") as store:
            with noted(monkeypatch) as happened:
                finished = await _live_twice(store, sandbox, FLOWS[name], keep_going, hosts, survived, monkeypatch)
            assert max(happened.values()) == 1, happened
        if finished:
            return
    raise AssertionError("the flow takes more operations than were tried")


async def _live_twice(
    store: Store,
    sandbox: Sandbox,
    root: Level,
    keep_going: bool,
    hosts: tuple[str, ...],
    survived: int,
    monkeypatch: pytest.MonkeyPatch,
) -> bool:
    """Whether the flow ended before its first process did."""
    clock = Clock()
    first = await process(store.database, sandbox, clock)
    await open_pool(first)
    finished = False
    with mortal(monkeypatch) as ending, suppress(Died):
        ending.operations = survived
        flow = await submit(first, root, keep_going, idempotency_key="once")
        await Volunteers(random.Random(1), hosts).finish(first, clock, flow)
        finished = True
    await first.close()
    second = await process(store.database, sandbox, clock, seed=survived)
    clock.advance(31)
    flow = await submit(second, root, keep_going, idempotency_key="once")
    flow = await Volunteers(random.Random(survived), hosts).finish(second, clock, flow)
    await _sweep_all(second, clock)
    (await Stored.read(second, flow, root)).check()
    await check_nothing_is_left(second, flow)
    return finished


async def _sweep_all(runtime: Runtime, clock: Clock) -> None:
    """Everything that was left half-way is found, and then there is nothing left to find."""
    for _ in range(4):
        clock.advance(601)
        await sweeping.sweep(runtime)
    swept = await sweeping.sweep(runtime)
    assert swept.total == 0, swept
