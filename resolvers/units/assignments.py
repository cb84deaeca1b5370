"""Who computes what: no host gets two replicas of one unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resolvers.runtime import Runtime
from storage import Assignment, Job, Task, TaskState


async def unheld(runtime: Runtime, host: str, candidates: Sequence[Task]) -> dict[str, Task]:
    """The candidates by unit, one a unit, of whose units the host has no replica."""
    by_unit = {task.unit: task for task in reversed(candidates)}
    held = await runtime.store.assignments.get_many(Assignment.id_of(unit, host) for unit in by_unit)
    lapsed = {assignment.id for assignment, _ in await _lapsed(runtime, held.values())}
    taken = held.keys() - lapsed
    return {unit: task for unit, task in by_unit.items() if Assignment.id_of(unit, host) not in taken}


async def holders(runtime: Runtime, unit: str, hosts: Iterable[str]) -> set[str]:
    """Those of the hosts that have a replica of the unit, and get no other."""
    by_id = {Assignment.id_of(unit, host): host for host in hosts}
    held = await runtime.store.assignments.get_many(by_id)
    lapsed = {assignment.id for assignment, _ in await _lapsed(runtime, held.values())}
    return {by_id[each] for each in held.keys() - lapsed}


async def assign(runtime: Runtime, host: str, token: str, tasks: Sequence[Task]) -> list[Task]:
    """Note that `host` has these tasks by the lease `token`; those of whose units it has no other replica. To note one
    again changes nothing."""
    wanted = {Assignment.id_of(task.unit, host): task for task in tasks}
    made = [
        Assignment(id=key, task=task.id, lease=token, unit=task.unit, within=task.flow or Job.id_of(task.job))
        for key, task in wanted.items()
    ]
    refused = await runtime.store.assignments.insert_many(made)
    if refused:
        held = await runtime.store.assignments.get_many(refused)
        refused -= {each.id for each in made if held.get(each.id) == each}
        for assignment, task in await _lapsed(runtime, held.values()):
            if await _take_over(runtime, assignment, task, wanted[assignment.id], token):
                refused.discard(assignment.id)
    return [task for key, task in wanted.items() if key not in refused]


async def _take_over(runtime: Runtime, assignment: Assignment, lapsed: Task | None, task: Task, token: str) -> bool:
    """Point a lapsed assignment at another task. A lease that ran out is voided first: a late report of it would be
    a second vote of the same host."""
    if lapsed is not None and not await runtime.store.tasks.void(lapsed.id, assignment.lease):
        return False
    return await runtime.store.assignments.move(assignment, task.id, token)


async def _lapsed(runtime: Runtime, held: Iterable[Assignment]) -> list[tuple[Assignment, Task | None]]:
    """Assignments whose task their host no longer has: it was released, or its lease ran out unreported - then
    with that task."""
    assignments = list(held)
    tasks = await runtime.store.tasks.get_many(assignment.task for assignment in assignments)
    lapsed: list[tuple[Assignment, Task | None]] = []
    for assignment in assignments:
        task = tasks.get(assignment.task)
        if task is None or task.lease != assignment.lease:
            lapsed.append((assignment, None))
        elif task.status == TaskState.EXPIRED:
            lapsed.append((assignment, task))
    return lapsed
