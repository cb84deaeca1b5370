"""Units of work: what the standing variables and the runs of flow jobs have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from storage.documents import Unit, UnitState
from storage.repository import Repository

U = TypeVar("U", bound=Unit)


class Units(Repository[U]):
    async def opened(self, ids: Collection[str], total: int) -> None:
        """NEW -> OPEN, once `total` tasks are stored for each."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$eq": UnitState.NEW}},
            {"$set": {"state": UnitState.OPEN, "total": total}},
        )

    async def raise_total(self, unit_id: str, total: int) -> None:
        """Record that tasks up to `total` exist. Never lowers it, so that the order of two writers is all one."""
        await self._collection.update_one({"_id": unit_id}, {"$max": {"total": total}})

    async def decide(self, ids: Collection[str], canonical: str, now: int) -> int:
        """OPEN -> DONE with the canonical result's task number; how many of `ids` this call decided."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$eq": UnitState.OPEN}},
            {"$set": {"state": UnitState.DONE, "canonical": canonical, "finished_at": now}},
        )

    async def give_up(self, unit_id: str, state: UnitState, reason: str, now: int) -> bool:
        """OPEN -> FAILED or CANCELLED."""
        return await self._collection.update_one(
            {"_id": unit_id, "state": {"$eq": UnitState.OPEN}},
            {"$set": {"state": state, "reason": reason, "finished_at": now}},
        )

    async def unfinished_business(self, now: int, limit: int) -> Sequence[U]:
        """Units that a process left NEW: their tasks are still to be created."""
        stored = await self._collection.find(
            {"state": {"$eq": UnitState.NEW}, "due": {"$lt": now}}, sort=[("due", 1)], limit=limit
        )
        return [self.kind.load(each) for each in stored]
