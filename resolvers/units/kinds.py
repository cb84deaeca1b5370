"""The kinds of units of work, and all that differs between them: standing variables, and what is registered beside
them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from resolvers.runtime import Runtime
from storage import Queue, Result, Review, Task, Unit
from storage.units import Units


class UnitKind(ABC):
    """One kind of units."""

    prefix: ClassVar[str]
    """What the ids of its units and tasks begin with."""
    queues: ClassVar[str]
    """What its queues are called by; it is a part of their ids."""
    takes_scheduler: ClassVar[bool] = False
    """Whether a job's `variable_scheduler` chooses among its units."""
    ends_when_archived: ClassVar[bool] = False
    """Whether its units fail when their job is archived. Its queues stay open until the sweeper has seen to that."""

    @abstractmethod
    def units(self, runtime: Runtime) -> Units[Any]:
        """Where its units are stored."""

    def queue_of(self, job_key: str) -> str:
        """The id of the queue that a job's tasks of this kind wait in."""
        return Queue.id_of(job_key, self.queues)

    def voted_on(self, result: Result) -> Sequence[str]:
        """The JSON texts of a result that a quorum must agree on."""
        return [result.value]

    @abstractmethod
    async def seen(self, runtime: Runtime, units: Sequence[Any]) -> set[str]:
        """The ids of those units that are computed for something that is there: nobody sees the others any more."""

    async def job_deleted(self, runtime: Runtime, job_key: str, limit: int) -> int:
        """End up to `limit` units that outlive their job, which is deleted; how many there were."""
        return 0

    async def admit(self, runtime: Runtime, units: Mapping[str, Any], tasks: Sequence[Task]) -> Sequence[Task]:
        """Of tasks that were just leased, those that are to be computed now; the others are put where they belong.
        `units` has the tasks' units by id."""
        return tasks

    async def cancel(self, runtime: Runtime, task_ids: Collection[str]) -> None:
        """Cancel the tasks of ended units that nobody has leased."""
        await runtime.store.tasks.cancel_ready(task_ids)

    async def ended(self, runtime: Runtime, units: Sequence[Any]) -> None:
        """Draw the consequences of units that have ended. Safe to repeat."""
        return

    async def carry_on(self, runtime: Runtime, limit: int) -> int:
        """What else a process may have left half-way; how many things were carried on, at most about `limit`."""
        return 0


class VariableKind(UnitKind):
    prefix = "var"
    queues = "variables"
    takes_scheduler = True

    def units(self, runtime: Runtime) -> Units[Any]:
        return runtime.store.variables

    async def seen(self, runtime: Runtime, units: Sequence[Any]) -> set[str]:
        return {unit.id for unit in units if await runtime.store.jobs.by_key(unit.job)}


class UnitKinds:
    """The kinds that a process knows, in the order in which their work is handed out: variables are the last."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kinds: dict[str, UnitKind] = {}
        self.register(VariableKind())

    def register(self, kind: UnitKind) -> None:
        """Know of one more kind, whose work goes before that of the others."""
        self._kinds = {kind.prefix: kind, **self._kinds}

    def __iter__(self) -> Iterator[UnitKind]:
        return iter(self._kinds.values())

    def of(self, id_: str) -> UnitKind:
        """The kind of the unit, or of the task, with this id."""
        return self._kinds[id_.partition(":")[0]]

    def of_queue(self, queue: Queue) -> UnitKind:
        return next(kind for kind in self if kind.queues == queue.kind)

    def grouped(self, ids: Iterable[str]) -> dict[UnitKind, list[str]]:
        """Ids of units or tasks by kind."""
        groups: dict[UnitKind, list[str]] = {}
        for id_ in ids:
            groups.setdefault(self.of(id_), []).append(id_)
        return groups

    async def is_there(self, unit_id: str) -> bool:
        """Whether there is such a unit, and what it is computed for."""
        kind = self.of(unit_id)
        unit = await kind.units(self._runtime).get(unit_id)
        return unit is not None and bool(await kind.seen(self._runtime, [unit]))

    async def read_wanted(self, unit_ids: Iterable[str]) -> dict[str, Unit]:
        """As `read`, less those for which results are not taken any more, since their job or flow is deleted, or their
        job was rejected."""
        units = await self.read(unit_ids)
        seen: set[str] = set()
        for kind, ids in self.grouped(units).items():
            seen |= await kind.seen(self._runtime, [units[each] for each in ids])
        return {each: unit for each, unit in units.items() if each in seen and await self._takes_results(unit.job)}

    async def _takes_results(self, job_key: str) -> bool:
        job = await self._runtime.store.jobs.by_key(job_key)
        return job is not None and job.review != Review.REJECTED

    async def read(self, unit_ids: Iterable[str]) -> dict[str, Unit]:
        """Units of any kind by id."""
        units: dict[str, Unit] = {}
        for kind, ids in self.grouped(unit_ids).items():
            units |= await kind.units(self._runtime).get_many(ids)
        return units
