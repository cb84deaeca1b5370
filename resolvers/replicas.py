"""Making tasks: the replicas of a unit that hosts compute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from resolvers.policies import policy_of
from resolvers.runtime import Runtime, new_seq
from storage.documents import Job, Lane, LaneKind, Task, Unit


async def open_units(runtime: Runtime, job: Job, units: Sequence[Unit]) -> None:
    """Create the first tasks of one job's units of one kind that are NEW, and only then open them. Safe to
    repeat: the tasks' ids follow from their units."""
    if not units:
        return
    kind = LaneKind.of(units[0].id)
    lane = await runtime.lanes.ensure(job, kind, runtime.now())
    totals: dict[int, list[str]] = defaultdict(list)
    tasks: list[Task] = []
    for unit in units:
        total = policy_of(job, unit).first_replicas
        tasks += [_task(runtime, unit, lane, number) for number in range(total)]
        totals[total].append(unit.id)
    await runtime.store.tasks.insert_many(tasks)
    for total, ids in totals.items():
        await runtime.store.units(kind).opened(ids, total)
    await runtime.lanes.wake([lane])


async def add(runtime: Runtime, units: Sequence[Unit], wanted: Mapping[str, int]) -> None:
    """Create `wanted[unit.id]` more tasks of each unit. Two processes that do so at once create the same ones."""
    totals: dict[tuple[LaneKind, int], list[str]] = defaultdict(list)
    tasks: list[Task] = []
    for unit in units:
        count = wanted.get(unit.id, 0)
        if count:
            kind = LaneKind.of(unit.id)
            lane = Lane.id_of(unit.job, kind)
            tasks += [_task(runtime, unit, lane, unit.total + more) for more in range(count)]
            totals[kind, unit.total + count].append(unit.id)
    await runtime.store.tasks.insert_many(tasks)
    for (kind, total), ids in totals.items():
        await runtime.store.units(kind).raise_total(ids, total)
    await runtime.lanes.wake({task.lane for task in tasks})


def _task(runtime: Runtime, unit: Unit, lane: str, number: int) -> Task:
    return Task(
        id=Task.id_of(unit.id, number),
        unit=unit.id,
        job=unit.job,
        lane=lane,
        flow=unit.flow,
        number=str(number),
        seq=new_seq(),
        rand=runtime.random.random(),
        created_at=runtime.now(),
    )
