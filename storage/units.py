"""Units of work: what the standing variables and the runs of flow jobs have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from storage.document import Document
from storage.repository import Repository
from storage.tasks import Task


class UnitState(StrEnum):
    """Where a unit of work stands. NEW: its tasks are still being created. OPEN: it wants results. DELETED: it is gone,
    and nobody finds it except who removes it."""

    NEW = "new"
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETED = "deleted"


@dataclass(slots=True, kw_only=True)
class Unit(Document):
    """Something to be computed: the target of tasks and of a quorum (BOINC calls it a workunit)."""

    job: str
    value: str
    """The input, as JSON text."""
    context: str = "{}"
    """The context the job's function gets beside it, as JSON text."""
    seq: str
    rand: float
    state: str = UnitState.NEW
    due: int
    """When the sweeper takes over a unit that is still NEW."""
    created_at: int
    finished_at: int = 0
    total: int = 0
    """How many tasks it has; the last ones may still be on their way into the store."""
    unsolicited: int = 0
    """How many results came for it without a lease."""
    canonical: str = ""
    """The number of the task whose result is the canonical one."""
    decided_by: str = ""
    """What the call that decided it was known by."""
    reason: str = ""
    policy: dict[str, Any] = field(default_factory=dict)
    """The policy in force where it is not the job's."""
    flow: str = ""
    """The flow it is computed for, or empty."""

    @property
    def numbers(self) -> list[str]:
        """The numbers of all tasks, and so of all results, that it may have."""
        return _numbers(self.total, self.unsolicited)


def _numbers(total: int, unsolicited: int) -> list[str]:
    return [str(number) for number in range(total)] + [f"u{number}" for number in range(unsolicited)]


U = TypeVar("U", bound=Unit)


class Units(Repository[U]):
    """NEW -> OPEN -> DONE | FAILED | CANCELLED. `finished_at` tells the end states from the others: a result may
    decide a unit that is still NEW, since its first task is stored before it opens."""

    async def opened(self, ids: Collection[str]) -> int:
        """NEW -> OPEN, once their first tasks are stored; how many of `ids` were NEW."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$eq": UnitState.NEW}}, {"$set": {"state": UnitState.OPEN}}
        )

    async def raise_total(self, ids: Collection[str], total: int) -> None:
        """Reserve the numbers of tasks up to `total`, before they are stored: whoever looks at the unit looks at
        all of its tasks. Never lowers it."""
        await self._collection.update_many({"_id": {"$in": list(ids)}}, {"$max": {"total": total}})

    async def expect_unsolicited(self, unit_id: str) -> int:
        """Reserve the number of the next result without a lease, before that is stored."""
        stored = await self._collection.find_one_and_update(
            {"_id": unit_id}, {"$inc": {"unsolicited": 1}}, sort=[("seq", 1)]
        )
        return 0 if stored is None else int(stored["unsolicited"]) - 1

    async def withdraw(self, ids: Collection[str]) -> None:
        """Remove units that are still NEW: nobody was told of them."""
        await self._collection.delete_many({"_id": {"$in": list(ids)}, "state": {"$eq": UnitState.NEW}})

    async def decide(self, ids: Collection[str], canonical: str, *, total: int, by: str, now: int) -> int:
        """To DONE with the canonical result's task number; how many of `ids` this call decided. `total`: how many tasks
        they are known to have. One that got more meanwhile is left alone, or nobody would cancel those."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "finished_at": {"$eq": 0}, "total": {"$eq": total}},
            {"$set": {"state": UnitState.DONE, "canonical": canonical, "decided_by": by, "finished_at": now}},
        )

    async def give_up(self, unit_id: str, state: UnitState, reason: str, now: int) -> bool:
        """To FAILED or CANCELLED."""
        return await self._collection.update_one(
            {"_id": unit_id, "finished_at": {"$eq": 0}},
            {"$set": {"state": state, "reason": reason, "finished_at": now}},
        )

    async def with_tasks(self, field: str, value: str, limit: int) -> dict[str, list[str]]:
        """The ids of up to `limit` units whose `field` is `value`, those that are gone too, each with the ids of all
        tasks, and so of all results, that it may have."""
        return await self._with_tasks({field: {"$eq": value}}, limit)

    async def _with_tasks(self, where: Mapping[str, Any], limit: int) -> dict[str, list[str]]:
        stored = await self._collection.find(where, limit=limit, projection=["total", "unsolicited"])
        return {
            each["_id"]: [Task.id_of(each["_id"], number) for number in _numbers(each["total"], each["unsolicited"])]
            for each in stored
        }

    async def unfinished_business(self, now: int, limit: int) -> Sequence[U]:
        """Units that a process left NEW: their tasks are still to be created."""
        stored = await self._collection.find(
            {"state": {"$eq": UnitState.NEW}, "due": {"$lt": now}}, sort=[("due", 1)], limit=limit
        )
        return [self.kind.load(each) for each in stored]
