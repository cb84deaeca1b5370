from __future__ import annotations

from collections.abc import Collection

from storage.documents import Result, Verdict
from storage.engines import Index
from storage.repository import Repository


class Results(Repository[Result]):
    collection_name = "results"
    kind = Result
    indexes = (Index(("unit", "seq")), Index(("job", "seq")), Index(("host", "seq")), Index(("seq",)))

    async def judge(self, ids: Collection[str], verdict: Verdict, reason: str = "") -> None:
        """Set the verdict of several results at once."""
        if ids:
            await self._collection.update_many(
                {"_id": {"$in": list(ids)}}, {"$set": {"verdict": verdict, "reason": reason}}
            )
