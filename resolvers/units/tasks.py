"""Reading tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.visibility import may_read
from resolvers.errors import NotFound
from resolvers.identifiers import TASK_ID
from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKinds
from storage import Task, Unit


def ids_of(units: Iterable[Unit]) -> list[str]:
    """The ids of the tasks that were made for units, all replicas."""
    return [Task.id_of(unit.id, number) for unit in units for number in range(unit.total)]


async def of_unit(runtime: Runtime, unit: Unit) -> Sequence[Task]:
    """A unit's tasks in the order of their numbers."""
    ids = [Task.id_of(unit.id, number) for number in unit.numbers]
    found = await runtime.store.tasks.get_many(ids)
    return [found[each] for each in ids if each in found]


async def by_id(runtime: Runtime, task_id: str, principal: Principal = EVERYBODY) -> Task:
    """A task that the principal may read. Raises NotFound, also for a task of what is deleted."""
    task = await runtime.store.tasks.get(task_id) if TASK_ID.fullmatch(task_id) else None
    if (
        task is None
        or not await runtime.part(UnitKinds).is_there(task.unit)
        or not await may_read(runtime, principal, task)
    ):
        raise NotFound(f"there is no task {task_id[:200]!r}")
    return task
