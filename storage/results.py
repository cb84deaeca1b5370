from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


class Verdict(StrEnum):
    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"
    CANONICAL = "canonical"
    TOO_LATE = "too_late"


@dataclass(slots=True, kw_only=True)
class Result(Document):
    """What one host reported for one task; it carries its task's id."""

    unit: str
    job: str
    number: str
    host: str
    seq: str
    value: str = ""
    """JSON text: what the job's validator made of the reported value, or the value itself."""
    context: str = ""
    """JSON text of the returned context without its `result`, or empty."""
    digest: str = ""
    """SHA-256 of the canonical JSON that votes are compared by; empty for a result that cannot vote."""
    error: str = ""
    """Why the host has no value, which is never an empty text; empty: it has one."""
    size: int = 0
    """Bytes of its value and context."""
    elapsed_ms: int = 0
    verdict: str = Verdict.PENDING
    reason: str = ""
    unsolicited: bool = False
    second_vote: bool = False
    """Its host has a vote on the unit already: this one does not count."""
    judged_by: str = ""
    """What the call that set its verdict was known by: it alone gives the host credit."""
    created_at: int

    @property
    def waits_for_validator(self) -> bool:
        """Stored while `validate_result` could not be asked: its task stays REPORTING until the sweeper asks again."""
        return self.verdict == Verdict.PENDING and not self.digest


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

    async def size(self, job: str) -> int:
        """Bytes of a job's results."""
        sums = await self._collection.group_sum({"job": {"$eq": job}}, by="job", fields=["size"])
        return sum(each["size"] for each in sums.values())

    async def count_since(self, when: int) -> int:
        """How many results were stored at or after `when` (ms since the epoch)."""
        return await self._collection.count({"created_at": {"$gte": when}})

    async def count_between(self, start: int, end: int) -> int:
        """How many results were stored from `start` to before `end` (ms since the epoch)."""
        return await self._collection.count({"created_at": {"$gte": start, "$lt": end}})

    async def verdicts_since(self, when: int) -> dict[str, int]:
        """How many results that were stored at or after `when` (ms since the epoch) have each verdict."""
        return await self._collection.group_count({"created_at": {"$gte": when}}, by="verdict")

    async def forget_host(self, host: str, limit: int) -> int:
        """Up to `limit` results are of no host any more, since it is deleted; how many there were."""
        stored = await self._collection.find({"host": {"$eq": host}}, limit=limit, projection=["host"])
        if stored:
            ids = [each["_id"] for each in stored]
            await self._collection.update_many({"_id": {"$in": ids}}, {"$set": {"host": ""}})
        return len(stored)

    async def settle(self, result: Result) -> bool:
        """Store what a validator that could not be asked at first said of a result; False where it is known."""
        fields = ("value", "digest", "verdict", "reason")
        return await self._collection.update_one(
            {"_id": result.id, "verdict": {"$eq": Verdict.PENDING}, "digest": {"$eq": ""}},
            {"$set": {name: getattr(result, name) for name in fields}},
        )
