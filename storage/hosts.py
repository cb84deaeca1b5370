from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class Host(Document):
    """A volunteer's client. The counters are for display and for trust, never for a unit's state."""

    seq: str
    name: str = ""
    created_at: int
    seen_at: int
    valid: int = 0
    invalid: int = 0
    failed: int = 0
    streak: int = 0
    """Valid results since the last invalid one: what `adaptive` trusts."""
    elapsed_ms: int = 0
    claimed_at: int
    """When it asked for work the last time, give or take half a minute."""
    owners: list[str] = field(default_factory=list)
    """The owners it supports; empty: all."""
    jobs: list[str] = field(default_factory=list)
    """The jobs it computes; empty: all."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"host:{key}"

    @property
    def key(self) -> str:
        return self.id.removeprefix("host:")


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
