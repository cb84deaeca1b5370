from __future__ import annotations

from storage.documents import Host
from storage.engines import Index
from storage.repository import Repository


class Hosts(Repository[Host]):
    collection_name = "hosts"
    kind = Host
    indexes = (Index(("seq",)), Index(("seen_at",)))

    async def credit(self, host_id: str, *, valid: int, elapsed_ms: int, now: int) -> None:
        """Count valid results and the time (ms) they took."""
        await self._collection.update_one(
            {"_id": host_id},
            {
                "$inc": {"valid": valid, "streak": valid, "elapsed_ms": elapsed_ms},
                "$max": {"seen_at": now},
            },
        )

    async def blame(self, host_id: str, *, invalid: int, failed: int, now: int) -> None:
        """Count results that lost a vote or a validation, and runs that threw: the host must earn trust anew."""
        await self._collection.update_one(
            {"_id": host_id},
            {
                "$inc": {"invalid": invalid, "failed": failed},
                "$set": {"streak": 0},
                "$max": {"seen_at": now},
            },
        )

    async def count_seen_since(self, when: int) -> int:
        return await self._collection.count({"seen_at": {"$gte": when}})
