from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


class Blocked(StrEnum):
    """What is blocked."""

    HOST = "host"
    ADDRESS_GROUP = "address_group"


@dataclass(slots=True, kw_only=True)
class Block(Document):
    """That a host, or all hosts of an address group, get no work."""

    seq: str
    kind: str
    name: str
    """The host's key, or the group's network."""
    reason: str
    account: str = ""
    """The account whose token it was blocked with; empty: nobody was known."""
    created_at: int
    expires_at: int = 0
    """When it ends by itself; 0: never."""

    @staticmethod
    def id_of(kind: Blocked, name: str) -> str:
        return f"block:{kind}:{name}"

    def is_in_force(self, now: int) -> bool:
        return not 0 < self.expires_at <= now


class Blocks(Repository[Block]):
    collection_name = "blocks"
    kind = Block
    indexes = (Index(("seq",)), Index(("expires_at",)))

    async def all(self, limit: int) -> Sequence[Block]:
        return await self.page({}, first=limit)

    async def put(self, block: Block) -> None:
        """Store a block; what is blocked already is blocked by this one from now on."""
        if not await self.insert(block):
            changes = block.dump()
            await self.set(changes.pop("_id"), changes)

    async def forget_expired(self, now: int) -> None:
        """Remove those that have ended by `now` (ms since the epoch)."""
        await self._collection.delete_many({"expires_at": {"$gt": 0, "$lte": now}})
