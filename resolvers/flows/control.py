"""What an owner may do to a flow that is there."""

from __future__ import annotations

from resolvers.errors import Conflict
from resolvers.flows import engine, reading
from resolvers.runtime import Runtime, new_seq
from storage.documents import Flow, FlowState, TaskState


async def cancel(runtime: Runtime, key: str) -> Flow:
    """End a flow; what has completed stays. Raises NotFound, and Conflict for one that has ended."""
    flow = await reading.get(runtime, key)
    if not await engine.stop(runtime, flow, FlowState.CANCELLED, "its owner cancelled it"):
        flow = await reading.get(runtime, key)
        if flow.state not in (FlowState.CANCELLED, FlowState.CANCELLING):
            raise _not_possible(flow, "cancelled", "running or paused")
    return await reading.get(runtime, key)


async def pause(runtime: Runtime, key: str) -> Flow:
    """Hand out none of a flow's tasks; those under way may be reported. Raises NotFound and Conflict."""
    flow = await reading.get(runtime, key)
    moved = await runtime.store.flows.move(flow.id, FlowState.RUNNING, FlowState.PAUSED, rev=new_seq())
    if not moved and flow.state != FlowState.PAUSED:
        raise _not_possible(flow, "paused", "running")
    await runtime.store.tasks.move_flow(flow.id, TaskState.READY, TaskState.HELD)
    return await reading.get(runtime, key)


async def resume(runtime: Runtime, key: str) -> Flow:
    """Have a paused flow go on. Raises NotFound and Conflict."""
    flow = await reading.get(runtime, key)
    due = runtime.now() + engine.TAKEOVER_MS
    moved = await runtime.store.flows.move(flow.id, FlowState.PAUSED, FlowState.RUNNING, rev=new_seq(), due=due)
    if not moved and flow.state != FlowState.RUNNING:
        raise _not_possible(flow, "resumed", "paused")
    await engine.reopen(runtime, flow)
    return await reading.get(runtime, key)


async def retry(runtime: Runtime, key: str) -> Flow:
    """Have a failed or cancelled flow go on from what did not complete; what completed is kept.

    Raises NotFound and Conflict.
    """
    flow = await reading.get(runtime, key)
    again = {
        "ended": False,
        "ending": "",
        "reason": "",
        "finished_at": 0,
        "generation": flow.generation + 1,
        "due": runtime.now() + engine.TAKEOVER_MS,
    }
    for state in (FlowState.FAILED, FlowState.CANCELLED):
        if await runtime.store.flows.move(flow.id, state, FlowState.RUNNING, rev=new_seq(), **again):
            await engine.reopen(runtime, await reading.get(runtime, key))
            return await reading.get(runtime, key)
    raise _not_possible(await reading.get(runtime, key), "retried", "failed or cancelled")


def _not_possible(flow: Flow, done: str, states: str) -> Conflict:
    return Conflict(f"a flow can be {done} while it is {states}; this one is {flow.state}", field="flow")
