"""What an owner may do to a flow that is there."""

from __future__ import annotations

from resolvers.errors import Conflict
from resolvers.flows import engine, reading
from resolvers.flows.ending import stop
from resolvers.runtime import Runtime
from storage import Flow, FlowState, TaskState


async def cancel(runtime: Runtime, key: str) -> Flow:
    """End a flow; what has completed stays. Raises NotFound, and Conflict for a flow that has ended otherwise."""
    flow = await reading.get(runtime, key)
    while flow.state in (FlowState.RUNNING, FlowState.PAUSED):
        await stop(runtime, flow, FlowState.CANCELLED, "its owner cancelled it")
        flow = await reading.get(runtime, key)
    if FlowState.CANCELLED not in (flow.state, flow.ending):
        raise _not_possible(flow, "cancelled", "running or paused")
    return flow


async def pause(runtime: Runtime, key: str) -> Flow:
    """Hand out none of a flow's tasks; those under way may be reported. Raises NotFound and Conflict."""
    flow = await reading.get(runtime, key)
    await runtime.store.flows.move(flow, FlowState.RUNNING, FlowState.PAUSED)
    until = runtime.now() + runtime.takeover_ms
    await runtime.store.tasks.move_flow(flow.id, TaskState.READY, TaskState.HELD, until=until)
    await engine.free_resumed(runtime, [flow.id])
    flow = await reading.get(runtime, key)
    if flow.state != FlowState.PAUSED:
        raise _not_possible(flow, "paused", "running")
    return flow


async def resume(runtime: Runtime, key: str) -> Flow:
    """Have a paused flow go on. Raises NotFound and Conflict."""
    flow = await reading.get(runtime, key)
    due = runtime.now() + runtime.takeover_ms
    await runtime.store.flows.move(flow, FlowState.PAUSED, FlowState.RUNNING, due=due)
    flow = await reading.get(runtime, key)
    if flow.state != FlowState.RUNNING:
        raise _not_possible(flow, "resumed", "paused")
    await engine.reopen(runtime, flow)
    return await reading.get(runtime, key)


async def retry(runtime: Runtime, key: str) -> Flow:
    """Have a failed or cancelled flow go on from what did not complete; what completed is kept.

    Raises NotFound and Conflict.
    """
    flow = await reading.get(runtime, key)
    await _refuse_incomplete(runtime, flow)
    again = {
        "ended": False,
        "ending": "",
        "reason": "",
        "finished_at": 0,
        "generation": flow.generation + 1,
        "due": runtime.now() + runtime.takeover_ms,
    }
    for state in (FlowState.FAILED, FlowState.CANCELLED):
        if await runtime.store.flows.move(flow, state, FlowState.RUNNING, **again):
            await engine.reopen(runtime, await reading.get(runtime, key))
            return await reading.get(runtime, key)
    raise _not_possible(await reading.get(runtime, key), "retried", "failed or cancelled")


async def _refuse_incomplete(runtime: Runtime, flow: Flow) -> None:
    levels = await runtime.store.levels.count({"flow": flow.id})
    if levels < flow.levels or await runtime.store.flow_jobs.count({"flow": flow.id}) < flow.jobs:
        raise Conflict("this flow was never submitted completely; submit it again", field="flow")


def _not_possible(flow: Flow, done: str, states: str) -> Conflict:
    state = "still being submitted" if flow.state == FlowState.NEW else flow.state
    return Conflict(f"a flow can be {done} while it is {states}; this one is {state}", field="flow")
