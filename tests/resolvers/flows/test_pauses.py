"""A paused flow hands nothing out, takes what was under way, and goes on when it is resumed."""

from contextlib import suppress
from typing import Any

import pytest

from resolvers.flows import control, reading
from resolvers.owners.variables import NewVariable, create_many
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from sandbox import Sandbox
from storage import FlowState, NodeState, Store, Task, TaskState, Verdict
from storage.tasks import Tasks
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import claim, report_all, work
from tests.resolvers.flows.shapes import ONE, TWO_LEVELS
from tests.resolvers.playing import Clock, Died, mortal, process


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
