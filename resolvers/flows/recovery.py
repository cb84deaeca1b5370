"""Carrying flows on where a process died in the middle of something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from resolvers.flows import engine, levels, runs
from resolvers.flows.ending import CUT_SHORT, fail_level, finish_stopping, follow_job
from resolvers.flows.runs import Start
from resolvers.runtime import Runtime
from resolvers.sweeping.isolation import by_itself
from storage import Flow, FlowJob, FlowState, Level, NodeState, TaskState
from storage.resumable import R, Resumable


async def sweep(runtime: Runtime, limit: int) -> int:
    """Carry on up to `limit` flows, levels and jobs that are overdue; how many there were."""
    store = runtime.store
    return sum(
        [
            await _carry_on(runtime, store.flows, limit, _resume_flow),
            await _carry_on(runtime, store.levels, limit, _resume_level),
            await _carry_on(runtime, store.flow_jobs, limit, _resume_job),
            await _look_at_held(runtime, limit),
        ]
    )


async def _look_at_held(runtime: Runtime, limit: int) -> int:
    """Free tasks that a process held after their flow was resumed, and did not live to free again."""
    now = runtime.now()
    held = await runtime.store.tasks.overdue(TaskState.HELD, now=now, limit=limit)
    if held:
        await engine.free_resumed(runtime, {task.flow for task in held})
        await runtime.store.tasks.keep_held([task.id for task in held], now=now)
    return len(held)


async def _carry_on(
    runtime: Runtime, repository: Resumable[R], limit: int, resume: Callable[[Runtime, R], Awaitable[None]]
) -> int:
    now = runtime.now()
    overdue = await repository.overdue(now, limit)
    for each in overdue:
        # One that can't be carried on comes again later, and holds nothing else up.
        if await repository.set_due(each, now + runtime.takeover_ms):
            with by_itself(each.id):
                await resume(runtime, each)
    return len(overdue)


async def _resume_flow(runtime: Runtime, flow: Flow) -> None:
    if flow.state == FlowState.NEW:
        end = {"ending": str(FlowState.CANCELLED), "reason": CUT_SHORT}
        if await runtime.store.flows.move(flow, FlowState.NEW, FlowState.CANCELLING, **end):
            await finish_stopping(runtime, flow, FlowState.CANCELLED, CUT_SHORT)
    elif flow.state == FlowState.CANCELLING:
        await finish_stopping(runtime, flow, FlowState(flow.ending), flow.reason)
    elif flow.state == FlowState.RUNNING:
        await engine.reopen(runtime, flow)
    else:
        await runtime.store.flows.set_due(flow, 0)


async def _resume_level(runtime: Runtime, level: Level) -> None:
    flow = await runtime.store.flows.get(level.flow)
    if flow is None or flow.ended:
        await runtime.store.levels.set_due(level, 0)
    elif level.state == NodeState.FAILED and level.generation == flow.generation:
        await fail_level(runtime, flow, level.id, level.reason)
    elif level.ended:
        await levels.settle(runtime, flow, level.id)
    else:
        await levels.start_jobs(runtime, flow, level)
        await levels.settle(runtime, flow, level.id)


async def _resume_job(runtime: Runtime, flow_job: FlowJob) -> None:
    """Make the run that a process did not get to, or fail the flow of a job that failed."""
    flow = await runtime.store.flows.get(flow_job.flow)
    level = await runtime.store.levels.get(flow_job.level)
    if flow is None or level is None or flow.ended:
        await runtime.store.flow_jobs.set_due(flow_job, 0)
    elif flow_job.ended:
        await follow_job(runtime, flow, flow_job, flow_job.reason)
    else:
        inputs = await runs.inputs(runtime, flow, [flow_job])
        if flow_job.id in inputs:
            start = Start(flow_job, inputs[flow_job.id], await runs.context_of(runtime, level, flow_job))
            await runs.make(runtime, flow, [start])
        else:
            await levels.settle(runtime, flow, level.id)
