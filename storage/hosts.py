from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from cachetools import TTLCache

from storage.deletable import ALL_MARKS, Deletable
from storage.document import Document
from storage.engines import Database, Index


@dataclass(slots=True, kw_only=True)
class Host(Document):
    """A volunteer's client. The counters are for display and for trust, never for a unit's state."""

    seq: str
    name: str = ""
    account: str = ""
    """The account whose machine it is; empty: nobody said so."""
    group: str = ""
    """The address group that it last asked for work from; empty: nobody knows."""
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


STALE_AFTER_S = 1.0


class Hosts(Deletable[Host]):
    collection_name = "hosts"
    kind = Host
    indexes = (
        Index(("seq",)),
        Index(("seen_at",)),
        Index(("claimed_at",)),
        Index(("account",)),
        Index(("group", "seq")),
    )

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(database)
        self._there: TTLCache[str, bool] = TTLCache(maxsize=100_000, ttl=STALE_AFTER_S, timer=clock)
        self._deletions = 0

    async def is_there(self, document_id: str) -> bool:
        """Whether there is such a host, or was within the last second; in the process that deletes it, at once."""
        if document_id not in self._there:
            deletions = self._deletions
            if not await self.known([document_id]):
                return False
            if deletions == self._deletions:
                self._there[document_id] = True
        return True

    async def insert(self, document: Host) -> bool:
        inserted = await super().insert(document)
        if inserted:
            self._there[document.id] = True
        return inserted

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        try:
            return await super().delete(ids, remove_at=remove_at, **changes)
        finally:
            self._deletions += 1
            self._there.clear()

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

    async def of_group(self, group: str, limit: int) -> list[str]:
        """The ids of hosts of an address group."""
        where = {"group": {"$eq": group}, "seq": {"$gt": ALL_MARKS}}
        return [each["_id"] for each in await self._collection.find(where, limit=limit, projection=["group"])]

    async def page_among(self, ids: Collection[str], *, first: int, after: str = "", group: str = "") -> list[Host]:
        """As `page`, the newest first, of hosts with these ids, or of those of an address group among them."""
        wanted: dict[str, Any] = {"group": {"$eq": group}} if group else {}
        wanted |= {"_id": {"$in": list(ids)}, "seq": self._places(after, descending=True)}
        return [Host.load(each) for each in await self._collection.find(wanted, sort=[("seq", -1)], limit=first)]

    async def forget_account(self, account: str) -> None:
        """The hosts of an account are nobody's from now on."""
        await self._collection.update_many({"account": {"$eq": account}}, {"$set": {"account": ""}})
