from __future__ import annotations

from collections.abc import Collection

from storage.documents import Result, Verdict
from storage.engines import Index
from storage.repository import Repository


class Results(Repository[Result]):
    collection_name = "results"
    kind = Result
    indexes = (Index(("unit", "seq")), Index(("job", "seq")), Index(("host", "seq")), Index(("created_at",)))

    async def judge(self, ids: Collection[str], frm: Verdict, to: Verdict, *, reason: str, by: str) -> int:
        """From one verdict to another; how many of `ids` this call changed, which it marks as judged `by` it."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "verdict": {"$eq": frm}},
            {"$set": {"verdict": to, "reason": reason, "judged_by": by}},
        )

    async def count_since(self, when: int) -> int:
        """How many results were stored at or after `when` (ms since the epoch)."""
        return await self._collection.count({"created_at": {"$gte": when}})

    async def count_between(self, start: int, end: int) -> int:
        """How many results were stored from `start` to before `end` (ms since the epoch)."""
        return await self._collection.count({"created_at": {"$gte": start, "$lt": end}})

    async def verdicts_since(self, when: int) -> dict[str, int]:
        """How many results that were stored at or after `when` (ms since the epoch) have each verdict."""
        return await self._collection.group_count({"created_at": {"$gte": when}}, by="verdict")

    async def settle(self, result: Result) -> bool:
        """Store what a validator that could not be asked at first said of a result; False where it is known."""
        fields = ("value", "digest", "verdict", "reason")
        return await self._collection.update_one(
            {"_id": result.id, "verdict": {"$eq": Verdict.PENDING}, "digest": {"$eq": ""}},
            {"$set": {name: getattr(result, name) for name in fields}},
        )
