"""A process may end between any two storage operations: the others carry its flows to the same end, and nothing of
them happens twice."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from resolvers.errors import StorageUnavailable
from resolvers.flows import control, engine, progress, reading, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, OnFailure
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from sandbox import Sandbox
from sandbox.breaker import CircuitBreaker
from storage import Flow, FlowJob, FlowState, NodeState, Run, Store, TaskState, Verdict, open_store
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
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.shapes import FLOWS
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock, Died, mortal, opened_for, process

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
    await _sweep_all(second, clock)
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
    await _sweep_all(second, clock)
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
            await _sweep_all(second, clock)
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
            await _sweep_all(second, clock)
            await _carry_through(second, clock, flow, control.cancel)
        survived += 1


async def test_what_cannot_be_carried_on_holds_nothing_else_up(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    flows = [await submit(runtime, FLOWS["nested"]) for _ in range(3)]
    for flow in flows:
        await runtime.store.flows.set(flow.id, {"due": runtime.now() - 1})
    reopen, resumed = engine.reopen, list[str]()

    async def fails_once(runtime: Runtime, flow: Flow) -> None:
        resumed.append(flow.id)
        if len(resumed) == 1:
            raise ValueError("a fault of the pool")
        await reopen(runtime, flow)

    monkeypatch.setattr(engine, "reopen", fails_once)
    assert (await sweep(runtime)).resumed == 3
    assert sorted(resumed) == sorted(flow.id for flow in flows)
    clock.advance(31)
    assert (await sweep(runtime)).resumed == 1


async def test_a_report_that_cannot_be_carried_through_holds_no_other_up(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    for _ in range(2):
        await submit(runtime, Level([Job("number", "three")] * 3))
    claimed = (await claims.claim(runtime, ClaimRequest("ann", 100))).tasks
    advance, poisoned = engine.advance, claimed[0].unit.id

    async def fails_at_one(runtime: Runtime, ended: Sequence[Run]) -> None:
        if any(run.id == poisoned for run in ended):
            raise ValueError("a fault of the pool")
        await advance(runtime, ended)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "advance", fails_at_one)
        with pytest.raises(ValueError, match="a fault"):
            await reports.submit(runtime, "ann", [report("ann", each) for each in claimed])
        clock.advance(31)
        await sweep(runtime)
        assert await runtime.store.tasks.count({"status": TaskState.REPORTING}) == 1
    clock.advance(31)
    await sweep(runtime)
    assert await runtime.store.tasks.count({"status": TaskState.REPORTING}) == 0


@pytest.mark.parametrize("step", ["advance", "reopen"])
async def test_a_store_that_is_away_ends_the_sweep_at_the_first_try(
    step: str, runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try waits for the store for ten seconds."""
    await open_pool(runtime)
    flows = [await submit(runtime, Level([Job("number", "three")] * 3)) for _ in range(3)]
    tries: list[Any] = []

    async def away(runtime: Runtime, what: Any) -> None:
        tries.append(what)
        raise StorageUnavailable("The database did not answer")

    monkeypatch.setattr(engine, step, away)
    if step == "advance":
        claimed = (await claims.claim(runtime, ClaimRequest("ann", 100))).tasks
        with pytest.raises(StorageUnavailable):
            await reports.submit(runtime, "ann", [report("ann", each) for each in claimed])
    else:
        for flow in flows:
            await runtime.store.flows.set(flow.id, {"due": runtime.now()})
    tries.clear()
    clock.advance(31)
    with pytest.raises(StorageUnavailable):
        await sweep(runtime)
    assert len(tries) == 1


async def test_a_report_is_taken_though_what_follows_from_it_cannot_be_evaluated_now(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    repeated = Level([Job("count", repeat=below(3))])
    waiting = await submit(runtime, repeated)
    another = await submit(runtime, Level([Job("number", "three")]))
    held = (await claims.claim(runtime, ClaimRequest("ann", 100))).tasks
    with monkeypatch.context() as patch:
        patch.setattr(runtime.sandbox, "_breaker", opened_for(waiting.key, clock))
        receipts = await reports.submit(runtime, "ann", [report("ann", each) for each in held])
        assert [(receipt.problem, receipt.result and receipt.result.verdict) for receipt in receipts] == [
            (None, Verdict.CANONICAL)
        ] * len(held)
        assert (await reading.get(runtime, another.key)).state == FlowState.COMPLETED
        assert (await reading.get(runtime, waiting.key)).state == FlowState.RUNNING
        await _sweep_all(runtime, clock)
    waiting = await Volunteers(random.Random(3)).finish(runtime, clock, waiting)
    (await Stored.read(runtime, waiting, repeated)).check()
    await check_nothing_is_left(runtime, waiting)


@pytest.mark.parametrize("name", ["condition", "repeat"])
async def test_conditions_that_kill_their_workers_fail_their_jobs_a_few_at_a_time_and_hold_no_other_up(
    name: str, runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner may lose two workers, and then has to wait."""
    breaker = CircuitBreaker(lambda: clock.ms / 1000, deaths=2, window_s=60, pause_s=20)
    monkeypatch.setattr(runtime.sandbox, "_breaker", breaker)
    condition: dict[str, Any] = {name: "(variable, context) => { while (true); }"}
    endless = NewFlowJob("number", "three", **condition)
    await open_pool(runtime)
    new = NewFlow(NewLevel([endless, endless, endless, NewFlowJob("number", "zero")]), on_failure=OnFailure.CONTINUE)
    flow = await submission.submit(runtime, new)
    held = (await claims.claim(runtime, ClaimRequest("ann", 100))).tasks
    assert len(held) == (1 if name == "condition" else 4)
    receipts = await reports.submit(runtime, "ann", [report("ann", each) for each in held])
    assert all(receipt.result for receipt in receipts)
    counts = (await progress.of_flow(runtime, flow)).by_state
    assert (counts[NodeState.FAILED], counts[NodeState.COMPLETED]) == (2, 1)
    for _ in range(2):
        clock.advance(31)
        await sweep(runtime)
    flow = await reading.get(runtime, flow.key)
    assert flow.state == FlowState.COMPLETED
    assert (await progress.of_flow(runtime, flow)).by_state[NodeState.FAILED] == 3


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


async def _sweep_all(runtime: Runtime, clock: Clock) -> None:
    """Everything that was left half-way is found, and then there is nothing left to find."""
    for _ in range(4):
        clock.advance(601)
        await sweep(runtime)
    swept = await sweep(runtime)
    assert swept.total == 0, swept
