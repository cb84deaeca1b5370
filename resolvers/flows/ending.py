"""Ending flows before their time: a job or a level that fails, and a flow that stops.

What has failed is `due` until its flow has followed, and so is a flow that is being stopped. All of it names the
generation it belongs to: a retry that comes in between is left alone.
"""

from __future__ import annotations

from resolvers.runtime import Runtime
from storage import Flow, FlowJob, FlowState, NodeState, TaskState

CUT_SHORT = "it was never submitted completely"
"""Why a flow was cancelled whose submission ended half-way; the same submission has it go on."""


async def fail_job(runtime: Runtime, flow: Flow, flow_job: FlowJob, reason: str) -> None:
    """To FAILED, if the run that `flow_job` shows is still the present one; with `onFailure` FAIL its flow follows."""
    now = runtime.now()
    due = now + runtime.takeover_ms if flow.on_failure == "FAIL" else 0
    if await runtime.store.flow_jobs.end(flow_job, NodeState.FAILED, now=now, reason=reason, due=due):
        await follow_job(runtime, flow, flow_job, reason)


async def follow_job(runtime: Runtime, flow: Flow, flow_job: FlowJob, reason: str) -> None:
    """Fail the flow of a job that has failed, if its owner wants that and has not retried it since."""
    if flow.on_failure == "FAIL" and flow.generation == flow_job.generation:
        await fail_level(runtime, flow, flow_job.level, f"its job {flow_job.alias!r} failed: {reason}")


async def fail_level(runtime: Runtime, flow: Flow, level_id: str, reason: str) -> None:
    """To FAILED, and the flow with it. Safe to repeat."""
    now = runtime.now()
    await runtime.store.levels.end(
        level_id,
        flow.generation,
        NodeState.FAILED,
        now=now,
        reason=reason,
        due=now + runtime.takeover_ms,
    )
    await stop(runtime, flow, FlowState.FAILED, reason)


async def stop(runtime: Runtime, flow: Flow, ending: FlowState, reason: str) -> None:
    """Cancel all of a running or paused flow that has not ended, and end it as `ending`. Nothing happens to a flow
    in another state, or of another generation, by now."""
    end = {"ending": str(ending), "reason": reason, "due": runtime.now() + runtime.takeover_ms}
    for state in (FlowState.RUNNING, FlowState.PAUSED):
        if await runtime.store.flows.move(flow, state, FlowState.CANCELLING, **end):
            await finish_stopping(runtime, flow, ending, reason)
            return


async def finish_stopping(runtime: Runtime, flow: Flow, ending: FlowState, reason: str) -> None:
    """CANCELLING -> `ending`, after everything in the flow that has not ended is cancelled. Safe to repeat."""
    store, now = runtime.store, runtime.now()
    why = f"the flow was cancelled: {reason}" if ending == FlowState.CANCELLED else f"the flow failed: {reason}"
    # Levels first: one whose jobs were cancelled must not look as if they had all been done.
    await store.levels.cancel_flow(flow, why, now=now)
    await store.flow_jobs.cancel_flow(flow, why, now=now)
    await store.runs.cancel_flow(flow, why, now)
    for waiting in (TaskState.READY, TaskState.HELD):
        await store.tasks.move_flow(flow.id, waiting, TaskState.CANCELLED, until=0)
    await store.flows.move(flow, FlowState.CANCELLING, ending, ended=True, due=0, finished_at=runtime.now())
