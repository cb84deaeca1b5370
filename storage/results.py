from __future__ import annotations

from collections.abc import Collection

from storage.documents import Result, Verdict
from storage.engines import Index
from storage.repository import Repository


class Results(Repository[Result]):
    collection_name = "results"
    kind = Result
    indexes = (Index(("unit", "seq")), Index(("job", "seq")), Index(("host", "seq")), Index(("created_at",)))

    async def judge(self, ids: Collection[str], verdict: Verdict, reason: str = "") -> None:
        """Set the verdict of several results at once."""
        if ids:
            await self._collection.update_many(
                {"_id": {"$in": list(ids)}}, {"$set": {"verdict": verdict, "reason": reason}}
            )

    async def count_since(self, when: int) -> int:
        """How many results were stored at or after `when` (ms since the epoch)."""
        return await self._collection.count({"created_at": {"$gte": when}})

    async def settle(self, result: Result) -> None:
        """Store what a validator that could not be asked at first said of a result."""
        fields = ("value", "digest", "verdict", "reason")
        await self.set(result.id, {name: getattr(result, name) for name in fields})
