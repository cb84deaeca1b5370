"""What cannot be carried on, or not now, holds nothing else up."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from resolvers.access.rules import sandbox_caller
from resolvers.errors import StorageUnavailable
from resolvers.flows import engine, progress, reading, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, OnFailure
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from sandbox.breaker import CircuitBreaker
from storage import Flow, FlowState, NodeState, Run, TaskState, Verdict
from tests.resolvers.flows.hive import Stored, Volunteers, check_nothing_is_left, open_pool, report, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.shapes import FLOWS
from tests.resolvers.flows.sweeping import sweep_all
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock, opened_for


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
        patch.setattr(runtime.sandbox, "_breaker", opened_for(sandbox_caller("", waiting.key), clock))
        receipts = await reports.submit(runtime, "ann", [report("ann", each) for each in held])
        assert [(receipt.problem, receipt.result and receipt.result.verdict) for receipt in receipts] == [
            (None, Verdict.CANONICAL)
        ] * len(held)
        assert (await reading.get(runtime, another.key)).state == FlowState.COMPLETED
        assert (await reading.get(runtime, waiting.key)).state == FlowState.RUNNING
        await sweep_all(runtime, clock)
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
