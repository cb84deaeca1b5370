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
    lane = await runtime.lanes.ensure(job, kind)
    await _create(runtime, units, {unit.id: range(policy_of(job, unit).first_replicas) for unit in units})
    await runtime.store.units(kind).opened([unit.id for unit in units])
    await runtime.lanes.wake([lane])


async def add(runtime: Runtime, units: Sequence[Unit], wanted: Mapping[str, Sequence[int]]) -> None:
    """Create the tasks with the numbers `wanted[unit.id]` of each unit. Two processes that do so at once create the
    same ones; where one dies half-way, the next one that looks at the unit finds their numbers reserved."""
    await _create(runtime, units, wanted)
    await runtime.lanes.wake({Lane.id_of(unit.job, LaneKind.of(unit.id)) for unit in units if wanted.get(unit.id)})


async def _create(runtime: Runtime, units: Sequence[Unit], wanted: Mapping[str, Sequence[int]]) -> None:
    totals: dict[tuple[LaneKind, int], list[str]] = defaultdict(list)
    tasks: list[Task] = []
    for unit in units:
        if numbers := wanted.get(unit.id):
            kind = LaneKind.of(unit.id)
            tasks += [_task(runtime, unit, Lane.id_of(unit.job, kind), number) for number in numbers]
            if unit.total <= max(numbers):
                totals[kind, max(numbers) + 1].append(unit.id)
    for (kind, total), ids in totals.items():
        await runtime.store.units(kind).raise_total(ids, total)
    await runtime.store.tasks.insert_many(tasks)


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
