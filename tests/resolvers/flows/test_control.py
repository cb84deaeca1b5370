"""What an owner may do to a flow in each of its states, and what becomes of its work."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest

from resolvers.errors import Conflict, NotFound
from resolvers.flows import control, ending, progress, reading, waiting
from resolvers.flows.waiting import Wait, WaitKind
from resolvers.owners import jobs
from resolvers.owners.variables import NewVariable, create_many
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import claims, leases, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.picking import ClaimedTask
from sandbox import Sandbox
from storage import Flow, FlowJob, FlowState, NodeState, Store, Task, TaskState, UnitState, Verdict
from storage.tasks import Tasks
from tests.resolvers.flows.hive import open_pool, report, submit
from tests.resolvers.flows.model import Condition, Job, Level
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock, Died, leases_of, mortal, process

Act = Callable[[Runtime, str], Awaitable[Flow]]

ONE = Level([Job("number", "three", alias="n")])
TWO_LEVELS = Level([Job("object", "pair")], [Level([Job("number", "three"), Job("number", "zero")])])
BROKEN = Level([Job("broken", policy={"max_errors": 1}), Job("number", "zero")])


async def claim(
    runtime: Runtime, first: int = 10, host: str = "ann", jobs: frozenset[str] = frozenset()
) -> list[ClaimedTask]:
    return (await claims.claim(runtime, ClaimRequest(host, first, jobs=jobs))).tasks


async def report_all(runtime: Runtime, claimed: list[ClaimedTask], host: str = "ann") -> list[reports.Receipt]:
    return await reports.submit(runtime, host, [report(host, each) for each in claimed])


async def work(runtime: Runtime, flow: Flow) -> Flow:
    """The flow after all its work was done."""
    while claimed := await claim(runtime):
        await report_all(runtime, claimed)
    return await reading.get(runtime, flow.key)


async def jobs_of(runtime: Runtime, flow: Flow) -> list[FlowJob]:
    return list(await reading.jobs_page(runtime, flow, first=100))


async def _running(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await submit(runtime, ONE)


async def _paused(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await control.pause(runtime, (await submit(runtime, ONE)).key)


async def _completed(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await work(runtime, await submit(runtime, ONE))


async def _failed(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await work(runtime, await submit(runtime, BROKEN))


async def _cancelled(runtime: Runtime, _: pytest.MonkeyPatch) -> Flow:
    return await control.cancel(runtime, (await submit(runtime, ONE)).key)


def _left_ending(as_state: FlowState) -> Callable[[Runtime, pytest.MonkeyPatch], Awaitable[Flow]]:
    """A flow whose process ended while it was stopping it."""

    async def stopped(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Flow:
        flow = await submit(runtime, ONE)
        with mortal(monkeypatch) as end, suppress(Died):
            end.operations = 1
            await ending.stop(runtime, flow, as_state, "a test")
        return await reading.get(runtime, flow.key)

    return stopped


STATES = {
    "running": _running,
    "paused": _paused,
    "being cancelled": _left_ending(FlowState.CANCELLED),
    "failing": _left_ending(FlowState.FAILED),
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}
POSSIBLE: dict[tuple[str, Act], FlowState] = {
    ("running", control.cancel): FlowState.CANCELLED,
    ("running", control.pause): FlowState.PAUSED,
    ("running", control.resume): FlowState.RUNNING,
    ("paused", control.cancel): FlowState.CANCELLED,
    ("paused", control.pause): FlowState.PAUSED,
    ("paused", control.resume): FlowState.RUNNING,
    ("being cancelled", control.cancel): FlowState.CANCELLING,
    ("failed", control.retry): FlowState.RUNNING,
    ("cancelled", control.cancel): FlowState.CANCELLED,
    ("cancelled", control.retry): FlowState.RUNNING,
}
DONE: dict[Act, str] = {
    control.cancel: "cancelled",
    control.pause: "paused",
    control.resume: "resumed",
    control.retry: "retried",
}
"""Each act, and the word that a refusal has for it."""


@pytest.mark.parametrize("act", DONE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("state", STATES)
async def test_each_act_is_possible_in_some_states_and_a_conflict_in_the_others(
    state: str, act: Act, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    before = await STATES[state](runtime, monkeypatch)
    if (state, act) in POSSIBLE:
        # A client that repeats it gets the same answer.
        for _ in range(1 if act is control.retry else 2):
            assert (await act(runtime, before.key)).state == POSSIBLE[state, act]
    else:
        with pytest.raises(Conflict, match=f"can be {DONE[act]} while it is .*; this one is {before.state}") as refused:
            await act(runtime, before.key)
        assert refused.value.field == "flow"
        assert await reading.get(runtime, before.key) == before


@pytest.mark.parametrize("act", DONE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("key", ["", "nothing", "0" * 32, "a b\0"])
async def test_a_flow_that_is_not_there_is_not_found(runtime: Runtime, act: Act, key: str) -> None:
    with pytest.raises(NotFound):
        await act(runtime, key)


async def test_a_paused_flow_hands_out_nothing_until_it_is_resumed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    await control.pause(runtime, flow.key)
    assert not await claim(runtime)
    await control.resume(runtime, flow.key)
    assert len(await claim(runtime)) == 2


async def test_tasks_that_a_process_held_and_died_after_the_flow_was_resumed_come_free(
    runtime: Runtime, store: Store, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    flow, other = await submit(runtime, ONE), await process(store.database, sandbox, clock, 1)
    move_flow = Tasks.move_flow

    async def overtaken(self: Tasks, *said: Any, **more: Any) -> int:
        monkeypatch.undo()
        await control.resume(other, flow.key)
        await move_flow(self, *said, **more)
        raise Died

    monkeypatch.setattr(Tasks, "move_flow", overtaken)
    with pytest.raises(Died):
        await control.pause(runtime, flow.key)
    assert not await claim(other)
    clock.advance(31)
    await sweep(other)
    assert (await work(other, flow)).state == FlowState.COMPLETED


async def test_a_task_that_was_claimed_while_its_flow_was_paused_and_resumed_comes_free(
    runtime: Runtime, store: Store, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    flow, other = await submit(runtime, ONE), await process(store.database, sandbox, clock, 1)
    take, hold = Tasks.claim, Tasks.hold

    async def before_the_pause(self: Tasks, *said: Any) -> list[Task]:
        taken = await take(self, *said)
        await control.pause(other, flow.key)
        return taken

    async def after_the_resume(self: Tasks, *said: Any, **more: Any) -> None:
        await control.resume(other, flow.key)
        await hold(self, *said, **more)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Tasks, "claim", before_the_pause)
        patch.setattr(Tasks, "hold", after_the_resume)
        with pytest.raises(Died):
            await claim(runtime)
    clock.advance(31)
    await sweep(other)
    assert (await work(other, flow)).state == FlowState.COMPLETED


async def test_a_replica_that_nobody_needs_is_not_held_for_ever(runtime: Runtime, store: Store) -> None:
    await open_pool(runtime)
    wanted = {"quorum": 2, "target_results": 3}
    flow = await submit(runtime, Level([Job("number", "three", policy=wanted)]))
    claimed = {host: await claim(runtime, 1, host) for host in ("ann", "bob")}
    await control.pause(runtime, flow.key)
    for host, tasks in claimed.items():
        await report_all(runtime, tasks, host)
    assert (await reading.get(runtime, flow.key)).state == FlowState.COMPLETED
    assert await store.tasks.count_by("status", {"flow": flow.id}) == {TaskState.REPORTED: 2, TaskState.CANCELLED: 1}


async def test_results_under_way_are_taken_while_a_flow_is_paused_and_what_follows_is_held(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    claimed = await claim(runtime)
    await control.pause(runtime, flow.key)
    for receipt in await report_all(runtime, claimed):
        assert receipt.result is not None
        assert receipt.result.verdict == Verdict.CANONICAL
    last, *first = await jobs_of(runtime, flow)
    assert {each.state for each in first} == {NodeState.COMPLETED}
    # The root level has begun, and its task became ready after the others were held.
    assert last.state == NodeState.QUEUED
    assert await runtime.store.tasks.count({"flow": flow.id, "status": TaskState.READY}) == 1
    assert not await claim(runtime)
    assert await runtime.store.tasks.count_by("status", {"flow": flow.id}) == {
        TaskState.REPORTED: 2,
        TaskState.HELD: 1,
    }
    await control.resume(runtime, flow.key)
    assert (await work(runtime, flow)).state == FlowState.COMPLETED


async def test_a_paused_flow_completes_by_its_last_result(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    claimed = await claim(runtime)
    await control.pause(runtime, flow.key)
    await report_all(runtime, claimed)
    assert (await reading.get(runtime, flow.key)).state == FlowState.COMPLETED


async def test_other_flows_and_standing_variables_go_on_beside_a_paused_flow(runtime: Runtime) -> None:
    await open_pool(runtime)
    paused, other = await submit(runtime, ONE), await submit(runtime, ONE)
    [variable] = await create_many(runtime, "number", [NewVariable(5)])
    await control.pause(runtime, paused.key)
    assert [each.unit.id for each in await claim(runtime)][1:] == [variable.id]
    assert (await control.pause(runtime, paused.key)).state == FlowState.PAUSED
    assert [each.state for each in await jobs_of(runtime, other)] == [NodeState.RUNNING]
    assert [each.state for each in await jobs_of(runtime, paused)] == [NodeState.QUEUED]


async def test_a_resume_whose_process_ended_is_carried_through_when_it_is_due(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    await control.pause(runtime, flow.key)
    with mortal(monkeypatch) as end, suppress(Died):
        end.operations = 2
        await control.resume(runtime, flow.key)
    other = await process(runtime.store.database, runtime.sandbox, clock)
    assert (await reading.get(other, flow.key)).state == FlowState.RUNNING
    assert not await claim(other)
    clock.advance(31)
    await sweep(other)
    assert len(await claim(other)) == 2


async def test_a_cancelled_flow_takes_no_late_result_and_nothing_of_it_is_revived(
    runtime: Runtime, clock: Clock
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    in_time, late = await claim(runtime, 2)
    await report_all(runtime, [in_time])
    await control.cancel(runtime, flow.key)
    [receipt] = await report_all(runtime, [late])
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE
    for _ in range(3):
        clock.advance(601)
        await sweep(runtime)
    ended = await reading.get(runtime, flow.key)
    assert (ended.state, ended.reason, ended.result) == (FlowState.CANCELLED, "its owner cancelled it", "")
    states = Counter(each.state for each in await jobs_of(runtime, flow))
    assert states == {NodeState.COMPLETED: 1, NodeState.CANCELLED: 2}
    for each in await jobs_of(runtime, flow):
        assert (each.state == NodeState.COMPLETED) is not each.reason.startswith("the flow was cancelled")
    assert not await claim(runtime)


async def test_what_is_given_back_of_a_flow_that_has_ended_is_not_handed_out_again(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    claimed = await claim(runtime)
    await control.cancel(runtime, flow.key)
    assert (await leases.release(runtime, leases_of(claimed))).count == len(claimed)
    assert await runtime.store.tasks.count_by("status", {"flow": flow.id}) == {TaskState.CANCELLED: len(claimed)}


async def test_a_retry_does_not_take_what_was_leased_before_it(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    claimed = await claim(runtime)
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    [receipt] = await report_all(runtime, claimed)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE
    assert (await reading.get(runtime, flow.key)).state == FlowState.RUNNING
    ended = await work(runtime, flow)
    assert (ended.state, ended.generation) == (FlowState.COMPLETED, 1)


async def test_a_retry_keeps_what_completed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("broken", policy={"max_errors": 1})], [TWO_LEVELS]))
    assert (await work(runtime, flow)).state == FlowState.FAILED
    before = [each for each in await jobs_of(runtime, flow) if each.state == NodeState.COMPLETED]
    assert len(before) == 3
    again = await control.retry(runtime, flow.key)
    assert (again.state, again.generation, again.reason, again.finished_at) == (FlowState.RUNNING, 1, "", 0)
    assert await jobs_of(runtime, flow) == [(await jobs_of(runtime, flow))[0], *before]
    [claimed] = await claim(runtime)
    assert claimed.job.key == "broken"
    await reports.submit(runtime, "ann", [reports.Report(claimed.task.id, claimed.task.lease, 7)])
    ended = await reading.get(runtime, flow.key)
    assert (ended.state, orjson.loads(ended.result)) == (FlowState.COMPLETED, {"broken": 7})


async def test_every_retry_is_a_generation(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    for generation in (1, 2, 3):
        await control.cancel(runtime, flow.key)
        assert (await control.retry(runtime, flow.key)).generation == generation
    assert {each.generation for each in await jobs_of(runtime, flow)} == {3}
    assert (await work(runtime, flow)).state == FlowState.COMPLETED


async def test_a_retry_goes_on_with_a_while_where_it_was(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("count", "only", repeat=below(5))]))
    for _ in range(2):
        await report_all(runtime, await claim(runtime))
    await claim(runtime)
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    [claimed] = await claim(runtime)
    assert orjson.loads(claimed.unit.context) == {"result": 2}
    await report_all(runtime, [claimed])
    ended = await work(runtime, flow)
    assert orjson.loads(ended.result) == {"count": 5}
    [flow_job] = await jobs_of(runtime, flow)
    runs = await reading.runs_page(runtime, flow_job, first=100)
    assert [(run.generation, run.iteration, run.state) for run in runs] == [
        (0, 0, UnitState.DONE),
        (0, 1, UnitState.DONE),
        (0, 2, UnitState.CANCELLED),
        *((1, iteration, UnitState.DONE) for iteration in (2, 3, 4)),
    ]


def _until(moment_ms: float) -> Condition:
    """Throws until that moment (ms since the epoch): as impure as a condition must not be."""
    source = f"() => {{ if (Date.now() < {moment_ms:.0f}) throw new Error('too early'); return true; }}"
    return Condition(source, lambda variable, context: True)


async def test_a_retry_evaluates_an_if_again_that_failed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three", condition=_until(time.time() * 1000 + 500))]))
    async with asyncio.timeout(30):
        while (flow := await reading.get(runtime, flow.key)).state == FlowState.FAILED:
            assert "its `if` failed: " in flow.reason
            assert "too early" in flow.reason
            assert (await control.retry(runtime, flow.key)).generation == flow.generation + 1
    assert flow.generation
    assert (await work(runtime, flow)).state == FlowState.COMPLETED


async def test_a_retry_runs_a_job_again_whose_while_failed(runtime: Runtime) -> None:
    await open_pool(runtime)
    repeat = _until(time.time() * 1000 + 500)
    flow = await submit(runtime, Level([Job("count", "only", repeat=repeat, policy={"max_iterations": 2})]))
    async with asyncio.timeout(30):
        while "its `while` failed: " in (flow := await work(runtime, flow)).reason:
            assert (await control.retry(runtime, flow.key)).state == FlowState.RUNNING
    # Now it holds for ever.
    assert "its `while` still held after 2 runs" in flow.reason
    assert flow.generation


async def test_a_job_that_failed_is_done_with_where_the_flow_continues(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, BROKEN, keep_going=True)
    first = await claim(runtime)
    await report_all(runtime, [each for each in first if each.job.key == "broken"])
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    ended = await work(runtime, flow)
    assert ended.state == FlowState.COMPLETED
    assert [each.state for each in await jobs_of(runtime, flow)] == [NodeState.FAILED, NodeState.COMPLETED]


async def test_what_an_owner_does_at_one_process_holds_at_another(
    store: Store, sandbox: Sandbox, clock: Clock, runtime: Runtime
) -> None:
    await open_pool(runtime)
    other = await process(store.database, sandbox, clock)
    flow = await submit(runtime, TWO_LEVELS)
    assert len(await claim(other, 1)) == 1
    await control.pause(runtime, flow.key)
    assert not await claim(other)
    await control.resume(other, flow.key)
    assert len(await claim(runtime, host="bob")) == 1
    await control.cancel(other, flow.key)
    assert not await claim(runtime)


async def test_what_was_cancelled_was_not_computed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three")] * 3))
    await control.cancel(runtime, flow.key)
    flow = await control.retry(runtime, flow.key)
    at = await progress.of_flow(runtime, flow)
    assert (at.throughput, at.eta_s) == (0.0, None)


def test_of_a_flow_without_jobs_so_far_nothing_is_done() -> None:
    assert progress.Progress(0, {}, 0.0, None).fraction == 0.0


@pytest.mark.parametrize("keep_going", [False, True])
async def test_what_a_flow_wants_of_an_archived_job_fails(runtime: Runtime, keep_going: bool) -> None:
    await open_pool(runtime)
    root = Level([Job("bare", alias="late")], [Level([Job("bare", alias="taken"), Job("number", "zero")])])
    flow = await submit(runtime, root, keep_going=keep_going)
    taken = await claim(runtime, 1, jobs=frozenset({"bare"}))
    await jobs.archive(runtime, "bare")
    await sweep(runtime)
    # What a host had taken before is not lost.
    await report_all(runtime, taken)
    await report_all(runtime, await claim(runtime))
    assert await claim(runtime) == []
    assert await claim(runtime, host="bob") == []
    late = (await waiting.why_flow(runtime, await reading.get(runtime, flow.key)))[0]
    assert late == Wait(WaitKind.ARCHIVED, "the job 'bare' is archived and computes nothing more", 1)
    await sweep(runtime)
    ended = await reading.get(runtime, flow.key)
    assert ended.state == (FlowState.COMPLETED if keep_going else FlowState.FAILED)
    states = {each.alias: (each.state, each.reason) for each in await jobs_of(runtime, flow)}
    assert states["late"] == (NodeState.FAILED, "the job 'bare' is archived and computes nothing more")
    assert states["taken"][0] == NodeState.COMPLETED
    if not keep_going:
        assert ended.reason == "its job 'late' failed: the job 'bare' is archived and computes nothing more"


async def test_a_paused_flow_learns_of_an_archived_job_once_it_goes_on(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    await control.pause(runtime, flow.key)
    await jobs.archive(runtime, "number")
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).state == FlowState.PAUSED
    await control.resume(runtime, flow.key)
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).state == FlowState.FAILED
    await control.retry(runtime, flow.key)
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).reason.endswith("is archived and computes nothing more")


@pytest.mark.parametrize("survived", range(0, 40, 3))
async def test_an_archived_job_ends_its_flow_wherever_a_sweep_ended(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three")] * 3, [Level([Job("bare")] * 2)]), keep_going=True)
    await jobs.archive(runtime, "bare")
    with mortal(monkeypatch) as end, suppress(Died):
        end.operations = survived
        await sweep(runtime)
    for _ in range(3):
        clock.advance(runtime.takeover_ms / 1000 + 1)
        await sweep(runtime)
    assert (await work(runtime, flow)).state == FlowState.COMPLETED
    assert Counter(each.state for each in await jobs_of(runtime, flow)) == {NodeState.FAILED: 2, NodeState.COMPLETED: 3}
    assert await runtime.part(OpenQueues).snapshot(0) == []
