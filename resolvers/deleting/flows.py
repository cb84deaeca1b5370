"""Deleting flows, with their levels, jobs and runs and all that was computed for these."""

from __future__ import annotations

from resolvers.deleting.steps import MOST_ROOTS, remove_at, remove_each
from resolvers.deleting.units import few, remove_contents
from resolvers.errors import NotFound
from resolvers.identifiers import FLOW_KEY
from resolvers.runtime import Runtime
from storage import Flow, FlowState, TaskState


async def delete(runtime: Runtime, key: str) -> Flow:
    """Delete a flow, whether it runs or has ended; the flow as it was. Raises NotFound."""
    flow = await runtime.store.flows.get(Flow.id_of(key)) if FLOW_KEY.fullmatch(key) else None
    if flow is None:
        raise NotFound(f"there is no flow {key[:100]!r}", field="flow")
    await mark(runtime, flow)
    return flow


async def mark(runtime: Runtime, flow: Flow) -> None:
    """Have a flow be gone. One that is still being stored is removed once that has ended."""
    stored_by = flow.due if flow.state == FlowState.NEW else 0
    await runtime.store.flows.delete([flow.id], remove_at=max(remove_at(runtime), stored_by))
    for waiting in (TaskState.READY, TaskState.HELD):
        await runtime.store.tasks.move_flow(flow.id, waiting, TaskState.CANCELLED, until=0)


async def remove(runtime: Runtime, limit: int) -> int:
    """One step of removing what was deleted; how many documents it was."""
    removable = await runtime.store.flows.removable(runtime.now(), MOST_ROOTS)
    return await remove_each(runtime, removable, _remove_some, limit)


async def _remove_some(runtime: Runtime, flow: Flow, limit: int) -> int:
    store = runtime.store
    if units := few(await store.runs.with_tasks("flow", flow.id, limit), limit):
        removed = await remove_contents(runtime, units, limit)
        return removed + await store.runs.remove_all(list(units))
    removed = (
        await store.assignments.remove_some("within", flow.id, limit)
        or await store.flow_jobs.remove_some("flow", flow.id, limit)
        or await store.levels.remove_some("flow", flow.id, limit)
        or await store.requests.remove_some("about", flow.id, limit)
    )
    return removed or await store.flows.remove([flow.id])
