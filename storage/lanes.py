from __future__ import annotations

from collections.abc import Collection

from storage.documents import Lane
from storage.engines import Index
from storage.repository import Repository

NEVER = 2**53
"""Later than any time in milliseconds."""


class Lanes(Repository[Lane]):
    collection_name = "lanes"
    kind = Lane
    indexes = (Index(("open", "oldest_at")),)

    async def open_lanes(self, limit: int) -> list[Lane]:
        """Lanes that may hold ready tasks, the oldest first."""
        stored = await self._collection.find({"open": {"$eq": True}}, sort=[("oldest_at", 1)], limit=limit)
        return [Lane.load(each) for each in stored]

    async def wake(self, ids: Collection[str], now: int) -> None:
        """Say that tasks of these lanes became ready; to be called after the tasks are stored."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}},
            {"$set": {"open": True}, "$inc": {"wake": 1}, "$min": {"oldest_at": now}},
        )

    async def close(self, lane_id: str, wake: int) -> bool:
        """Say that the lane is empty, unless it was woken since it had the count `wake`."""
        return await self._collection.update_one(
            {"_id": lane_id, "wake": {"$eq": wake}}, {"$set": {"open": False, "oldest_at": NEVER}}
        )
