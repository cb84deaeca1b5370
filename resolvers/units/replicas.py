"""Making tasks: the replicas of a unit that hosts compute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from resolvers.runtime import Runtime, new_seq
from resolvers.turns import each_in_turn, give_way
from resolvers.units.kinds import UnitKind, UnitKinds
from resolvers.units.policies import policy_of
from resolvers.units.queues import OpenQueues
from storage import Job, Task, Unit


async def open_units(runtime: Runtime, job: Job, units: Sequence[Unit]) -> None:
    """Create the first tasks of one job's units of one kind that are NEW, and only then open them. Safe to
    repeat: the tasks' ids follow from their units."""
    if not units:
        return
    queues, kind = runtime.part(OpenQueues), runtime.part(UnitKinds).of(units[0].id)
    queue = await queues.ensure(job, kind)
    wanted = dict(await each_in_turn(lambda unit: (unit.id, range(policy_of(job, unit).first_replicas)), units))
    tasks = await _create(runtime, units, wanted)
    # Before the units are open: a process that dies until then leaves them NEW, and the sweeper comes here again.
    await queues.wake([queue])
    if await kind.units(runtime).opened([unit.id for unit in units]) < len(units):
        await cancel_unwanted(runtime, tasks)


async def add(runtime: Runtime, units: Sequence[Unit], wanted: Mapping[str, Sequence[int]]) -> None:
    """Create the tasks with the numbers `wanted[unit.id]` of each unit. Two processes that do so at once create the
    same ones; where one dies half-way, the next process that looks at the unit finds their numbers reserved."""
    tasks = await _create(runtime, units, wanted)
    await cancel_unwanted(runtime, tasks)
    await runtime.part(OpenQueues).wake(task.queue for task in tasks)


async def cancel_unwanted(runtime: Runtime, tasks: Sequence[Task]) -> None:
    """Of tasks that have just become READY, cancel those whose units ended meanwhile: who ended them cancelled the
    tasks that were READY then."""
    units = await runtime.part(UnitKinds).read({task.unit for task in tasks})
    ended = [task.id for task in tasks if task.unit not in units or units[task.unit].finished_at]
    if ended:
        await runtime.store.tasks.cancel_ready(ended)


async def _create(runtime: Runtime, units: Sequence[Unit], wanted: Mapping[str, Sequence[int]]) -> list[Task]:
    totals: dict[tuple[UnitKind, int], list[str]] = defaultdict(list)
    tasks: list[Task] = []
    for unit in units:
        await give_way()
        if numbers := wanted.get(unit.id):
            kind = runtime.part(UnitKinds).of(unit.id)
            tasks += [_task(runtime, unit, kind.queue_of(unit.job), number) for number in numbers]
            if unit.total <= max(numbers):
                totals[kind, max(numbers) + 1].append(unit.id)
    for (kind, total), ids in totals.items():
        await kind.units(runtime).raise_total(ids, total)
    await runtime.store.tasks.insert_many(tasks)
    return tasks


def _task(runtime: Runtime, unit: Unit, queue: str, number: int) -> Task:
    return Task(
        id=Task.id_of(unit.id, number),
        unit=unit.id,
        job=unit.job,
        queue=queue,
        flow=unit.flow,
        number=str(number),
        seq=new_seq(),
        rand=runtime.random.random(),
        created_at=runtime.now(),
    )
