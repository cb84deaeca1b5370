from __future__ import annotations

from collections.abc import Collection

from storage.documents import Host
from storage.engines import Index
from storage.repository import Repository


class Hosts(Repository[Host]):
    collection_name = "hosts"
    kind = Host
    indexes = (Index(("seq",)), Index(("seen_at",)), Index(("claimed_at",)))

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

    async def note_interests(self, host_id: str, owners: Collection[str], jobs: Collection[str], now: int) -> None:
        """What a host asked for."""
        await self.set(host_id, {"claimed_at": now, "owners": sorted(owners), "jobs": sorted(jobs)})

    async def claimed_since(self, when: int, limit: int) -> list[Host]:
        """Hosts that asked for work at or after `when` (ms since the epoch)."""
        stored = await self._collection.find({"claimed_at": {"$gte": when}}, limit=limit, sort=[("claimed_at", -1)])
        return [Host.load(each) for each in stored]
