from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


class TaskState(StrEnum):
    """READY -> LEASED -> REPORTED | EXPIRED | CANCELLED.

    REPORTING and EXPIRING are the same end states before all that follows from them (verdicts, replacement
    tasks) is stored: a crash in between leaves the task there, and the sweeper carries it through.
    """

    READY = "ready"
    HELD = "held"
    """As READY, but its flow is paused."""
    LEASED = "leased"
    REPORTING = "reporting"
    REPORTED = "reported"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True)
class Task(Document):
    """One replica of a unit, to be computed by one host."""

    stored_names = MappingProxyType({"queue": "lane"})

    unit: str
    job: str
    queue: str
    flow: str = ""
    number: str
    seq: str
    rand: float
    status: str = TaskState.READY
    host: str = ""
    lease: str = ""
    attempt: int = 0
    leased_at: int = 0
    until: int = 0
    """The lease's deadline; of any other task, when the sweeper sees to it, 0 for never."""
    created_at: int

    @staticmethod
    def id_of(unit: str, number: str | int) -> str:
        return f"{unit}:{number}"

    @staticmethod
    def split(task_id: str) -> tuple[str, str]:
        """The unit's id and the number of a task's id."""
        unit, _, number = task_id.rpartition(":")
        return unit, number


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one host to compute some tasks until a deadline (ms since the epoch)."""

    token: str
    host: str
    now: int
    until: int

    def grant(self) -> dict[str, Any]:
        taken = {
            "status": TaskState.LEASED,
            "lease": self.token,
            "host": self.host,
            "leased_at": self.now,
            "until": self.until,
        }
        return {"$set": taken, "$inc": {"attempt": 1}}


class Tasks(Repository[Task]):
    """The task's state machine: every method that changes one names the states it may leave."""

    collection_name = "tasks"
    kind = Task
    indexes = (
        Index(("lane", "status", "rand")),
        Index(("unit", "status")),
        Index(("unit", "seq")),
        Index(("status", "until")),
        Index(("lease",)),
        Index(("flow", "status")),
        Index(("host", "status")),
    )

    async def claim_one(self, queue: str, lease: Lease, start: float) -> Task | None:
        """READY -> LEASED for one task of the queue, at random: the first at or after `start` in [0, 1)."""
        for edge in ({"$gte": start}, {"$lt": start}):
            stored = await self._collection.find_one_and_update(
                {"lane": {"$eq": queue}, "status": {"$eq": TaskState.READY}, "rand": edge},
                lease.grant(),
                sort=[("rand", 1)],
            )
            if stored is not None:
                return Task.load(stored)
        return None

    async def ready(self, queue: str, *, start: float, end: float, limit: int) -> list[Task]:
        """READY tasks of the queue with `rand` in [start, end), in that order."""
        stored = await self._collection.find(
            {
                "lane": {"$eq": queue},
                "status": {"$eq": TaskState.READY},
                "rand": {"$gte": start, "$lt": end},
            },
            sort=[("rand", 1)],
            limit=limit,
        )
        return [Task.load(each) for each in stored]

    async def claim(self, ids: Collection[str], lease: Lease) -> list[Task]:
        """READY -> LEASED for those of `ids` that are still ready."""
        matched = await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": TaskState.READY}}, lease.grant()
        )
        if not matched:
            return []
        found = await self.get_many(ids)
        return [task for task in found.values() if task.lease == lease.token]

    async def leased_by(self, token: str, *, limit: int) -> list[Task]:
        """The LEASED tasks of one claim."""
        stored = await self._collection.find({"lease": {"$eq": token}}, limit=limit)
        return [task for task in map(Task.load, stored) if task.status == TaskState.LEASED]

    async def held_by(self, host: str, limit: int) -> list[Task]:
        """The LEASED tasks of a host."""
        where = {"host": {"$eq": host}, "status": {"$eq": TaskState.LEASED}}
        return [Task.load(each) for each in await self._collection.find(where, limit=limit)]

    async def holders(self, ids: Collection[str]) -> list[tuple[str, str]]:
        """The unit and the host of those tasks that a host has or had."""
        where = {"_id": {"$in": list(ids)}}
        stored = await self._collection.find(where, limit=len(ids), projection=["unit", "host"])
        return [(each["unit"], each["host"]) for each in stored if each["host"]]

    async def of_host(self, host: str, limit: int) -> list[tuple[str, str]]:
        """The id and the unit of tasks that a host has or had."""
        stored = await self._collection.find({"host": {"$eq": host}}, limit=limit, projection=["unit"])
        return [(each["_id"], each["unit"]) for each in stored]

    async def forget_host(self, ids: Collection[str]) -> None:
        """That the host which had them is deleted."""
        await self._collection.update_many({"_id": {"$in": list(ids)}}, {"$set": {"host": ""}})

    async def extend(self, ids: Collection[str], token: str, until: int) -> int:
        return await self._collection.update_many(self._held(ids, token, TaskState.LEASED), {"$set": {"until": until}})

    async def release(self, ids: Collection[str], token: str, *, until: int) -> int:
        """LEASED -> READY: given back without penalty."""
        free = {"status": TaskState.READY, "lease": "", "host": "", "until": until, "leased_at": 0}
        return await self._collection.update_many(self._held(ids, token, TaskState.LEASED), {"$set": free})

    async def begin_report(
        self, ids: Collection[str], token: str, host: str, *, until: int, frm: TaskState = TaskState.LEASED
    ) -> int:
        """LEASED (or an expired one of which nothing else came) -> REPORTING for those that `host` holds."""
        held = {**self._held(ids, token, frm), "host": {"$eq": host}}
        return await self._collection.update_many(held, {"$set": {"status": TaskState.REPORTING, "until": until}})

    async def begin_expiry(self, ids: Collection[str], *, now: int, until: int) -> int:
        """LEASED past its deadline -> EXPIRING."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": TaskState.LEASED}, "until": {"$lt": now}},
            {"$set": {"status": TaskState.EXPIRING, "until": until}},
        )

    async def abandon_report(self, ids: Collection[str], *, now: int, until: int) -> int:
        """REPORTING without a stored result -> EXPIRING."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": TaskState.REPORTING}, "until": {"$lt": now}},
            {"$set": {"status": TaskState.EXPIRING, "until": until}},
        )

    async def postpone(self, ids: Collection[str], status: TaskState, until: int) -> None:
        """Have the sweeper look at these tasks again, not before `until`; 0: never."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": status}}, {"$set": {"until": until}}
        )

    async def keep_held(self, ids: Collection[str], *, now: int) -> None:
        """The sweeper has looked at them: they stay HELD until their flow is resumed."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": TaskState.HELD}, "until": {"$lt": now}},
            {"$set": {"until": 0}},
        )

    async def finish_reports(self, ids: Collection[str]) -> None:
        """REPORTING -> REPORTED: the results and all that follows from them are stored. A task whose report was
        given up for lost, because its process stood still for so long, is REPORTED after all."""
        left = len(ids)
        for state in (TaskState.REPORTING, TaskState.EXPIRING, TaskState.EXPIRED):
            if left > 0:
                left -= await self.finish(ids, state, TaskState.REPORTED)

    async def finish(self, ids: Collection[str], frm: TaskState, to: TaskState) -> int:
        """EXPIRING -> EXPIRED, say: all that follows from it is stored."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$eq": frm}}, {"$set": {"status": to}}
        )

    async def cancel_ready(self, ids: Collection[str]) -> int:
        """READY -> CANCELLED: nobody needs them any more."""
        return await self.finish(ids, TaskState.READY, TaskState.CANCELLED)

    async def cancel_held(self, ids: Collection[str]) -> int:
        """HELD -> CANCELLED: the same in a paused flow."""
        return await self.finish(ids, TaskState.HELD, TaskState.CANCELLED)

    async def hold(self, ids: Collection[str], token: str, *, until: int) -> None:
        """LEASED -> HELD: its flow is paused, and its host was not told of the lease. The sweeper looks at it at
        `until`: its flow may have been resumed just before."""
        free = {"status": TaskState.HELD, "lease": "", "host": "", "until": until, "leased_at": 0}
        await self._collection.update_many(self._held(ids, token, TaskState.LEASED), {"$set": free})

    async def move_flow(self, flow: str, frm: TaskState, to: TaskState, *, until: int) -> int:
        """The same for all tasks of a flow that nobody has leased: held, ready again, or cancelled. The sweeper looks
        at them at `until`; 0: never."""
        return await self._collection.update_many(
            {"flow": {"$eq": flow}, "status": {"$eq": frm}}, {"$set": {"status": to, "until": until}}
        )

    async def void(self, task_id: str, token: str) -> bool:
        """Take an EXPIRED task's lease away for good: its host computes another replica of the unit now."""
        return await self._collection.update_one(
            {"_id": task_id, "status": {"$eq": TaskState.EXPIRED}, "lease": {"$eq": token}},
            {"$set": {"lease": ""}},
        )

    async def overdue(self, status: TaskState, *, now: int, limit: int) -> Sequence[Task]:
        stored = await self._collection.find(
            {"status": {"$eq": status}, "until": {"$gt": 0, "$lt": now}}, sort=[("until", 1)], limit=limit
        )
        return [Task.load(each) for each in stored]

    @staticmethod
    def _held(ids: Collection[str], token: str, status: TaskState) -> dict[str, Any]:
        return {"_id": {"$in": list(ids)}, "lease": {"$eq": token}, "status": {"$eq": status}}
