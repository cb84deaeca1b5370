"""Tasks that were given back, in case the process died before it woke their queues."""

from __future__ import annotations

from resolvers.runtime import Runtime
from resolvers.units.queues import OpenQueues
from storage import TaskState


async def wake(runtime: Runtime, limit: int) -> int:
    """Wake the queues of up to `limit` released tasks; how many there were."""
    released = await runtime.store.tasks.overdue(TaskState.READY, now=runtime.now(), limit=limit)
    if released:
        await runtime.part(OpenQueues).wake(task.queue for task in released)
        await runtime.store.tasks.postpone([task.id for task in released], TaskState.READY, 0)
    return len(released)
