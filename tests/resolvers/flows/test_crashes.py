"""A process may end between any two storage operations: the others carry its flows to the same end, and nothing of
them happens twice."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from resolvers.flows import control, reading
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from sandbox import Sandbox
from storage import Flow, FlowJob, FlowState, Store, open_store
from storage.flow_jobs import FlowJobs
from storage.levels import Level as StoredLevel
from storage.levels import Levels
from tests.resolvers.flows.hive import (
    CHEAT,
    HONEST,
    Stored,
    Volunteers,
    check_nothing_is_left,
    open_pool,
    report,
    submit,
)
from tests.resolvers.flows.model import Level
from tests.resolvers.flows.shapes import FLOWS
from tests.resolvers.flows.sweeping import sweep_all
from tests.resolvers.playing import Clock, Died, mortal, process

Act = Callable[[Runtime, str], Awaitable[Flow]]
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
        async with open_store("mock") as store:
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
    await sweep_all(second, clock)
    (await Stored.read(second, flow, root)).check()
    await check_nothing_is_left(second, flow)
    return finished


async def _cancel_and_retry(
    store: Store, sandbox: Sandbox, root: Level, survived: int, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """As `_live_twice`, but with an owner who cancels what the first process left, and retries it."""
    clock = Clock()
    first = await process(store.database, sandbox, clock)
    await open_pool(first)
    flow = await submit(first, root, keep_going=True)
    with mortal(monkeypatch) as ending, suppress(Died):
        ending.operations = survived
        await Volunteers(random.Random(1)).finish(first, clock, flow)
    second = await process(store.database, sandbox, clock, seed=survived)
    if (await reading.get(second, flow.key)).ended:
        return True
    flow = await control.cancel(second, flow.key)
    assert flow.state == FlowState.CANCELLED
    await check_nothing_is_left(second, flow, reporting=True)
    await control.retry(second, flow.key)
    flow = await Volunteers(random.Random(survived)).finish(second, clock, flow)
    await sweep_all(second, clock)
    (await Stored.read(second, flow, root)).check()
    await check_nothing_is_left(second, flow)
    return False


@pytest.mark.parametrize("name", ["nested", "broken", "if throws"])
async def test_what_a_process_left_can_be_cancelled_and_retried(
    name: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    survived, finished = random.Random(name).randrange(SOME), False
    while not finished:
        async with open_store("mock") as store:
            finished = await _cancel_and_retry(store, sandbox, FLOWS[name], survived, monkeypatch)
        # The last steps are where little is left to be cancelled.
        survived += 1 if name == "if throws" else SOME


ACTS: dict[str, tuple[Act, ...]] = {
    "cancel": (control.cancel,),
    "pause": (control.pause,),
    "resume": (control.pause, control.resume),
    "retry": (control.cancel, control.retry),
}


@pytest.mark.parametrize("name", ACTS)
async def test_what_an_owner_did_when_the_process_ended_is_carried_through(
    name: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    *before, act = ACTS[name]
    survived, finished = 0, False
    while not finished:
        async with open_store("mock") as store:
            clock = Clock()
            first = await process(store.database, sandbox, clock)
            await open_pool(first)
            flow = await submit(first, FLOWS["nested"], keep_going=True)
            await Volunteers(random.Random(survived)).take_turn(first, [])
            for each in before:
                await each(first, flow.key)
            with mortal(monkeypatch) as ending, suppress(Died):
                ending.operations = survived
                await act(first, flow.key)
                finished = True
            second = await process(store.database, sandbox, clock, seed=survived)
            await sweep_all(second, clock)
            await _carry_through(second, clock, flow, act)
        survived += 1


async def test_reports_that_come_while_a_flow_is_half_stopped_leave_all_of_it_to_a_retry(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    survived, finished = 0, False
    while not finished:
        async with open_store("mock") as store:
            clock = Clock()
            first = await process(store.database, sandbox, clock)
            await open_pool(first)
            flow = await submit(first, FLOWS["nested"], keep_going=True)
            held = (await claims.claim(first, ClaimRequest("ann", 100))).tasks
            with mortal(monkeypatch) as ending, suppress(Died):
                ending.operations = survived
                await control.cancel(first, flow.key)
                finished = True
            second = await process(store.database, sandbox, clock, seed=survived)
            await reports.submit(second, "ann", [report("ann", each) for each in held[::2]])
            await sweep_all(second, clock)
            await _carry_through(second, clock, flow, control.cancel)
        survived += 1


async def _carry_through(runtime: Runtime, clock: Clock, flow: Flow, act: Act) -> None:
    """What was begun was done; what was not can be done again."""
    state = (await reading.get(runtime, flow.key)).state
    if act is control.cancel and state == FlowState.RUNNING:
        state = (await control.cancel(runtime, flow.key)).state
    if state == FlowState.CANCELLED:
        await check_nothing_is_left(runtime, flow)
        await control.retry(runtime, flow.key)
    elif state == FlowState.PAUSED:
        assert not (await claims.claim(runtime, ClaimRequest("zoe", 100))).tasks
        await control.resume(runtime, flow.key)
    else:
        assert state == FlowState.RUNNING
    flow = await Volunteers(random.Random(2)).finish(runtime, clock, flow)
    (await Stored.read(runtime, flow, FLOWS["nested"])).check()
