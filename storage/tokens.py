from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.document import Document
from storage.engines import Database, Index
from storage.recent_reads import RecentReads
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class Token(Document):
    """What an account's programs show to be known by. Of its text only the SHA-256 is kept."""

    key: str
    account: str
    name: str
    seq: str
    digest: str
    """SHA-256 (hex) of the whole text."""
    scopes: list[str] = field(default_factory=list)
    created_at: int
    expires_at: int = 0
    """0: never."""
    revoked_at: int = 0
    used_at: int = 0
    """When it was shown the last time, give or take a minute; 0: never."""
    is_session: bool = False
    """Whether it is a browser's session, which is shown as a cookie only."""
    is_link: bool = False
    """Whether it is a link by which an operator signs in once."""
    made_by: str = ""
    """The key of the token that a session was opened with, and ends with; empty: it was opened otherwise."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"token:{key}"


class Tokens(Repository[Token]):
    """Tokens are read with every request that shows one: `shown` answers from a cache."""

    collection_name = "tokens"
    kind = Token
    indexes = (Index(("seq",)), Index(("account", "seq")))

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(database)
        self._shown = RecentReads(self.get, clock)

    async def shown(self, key: str) -> Token | None:
        """The token with this key, as it is or was within the last second."""
        return await self._shown.get(Token.id_of(key))

    async def insert(self, document: Token) -> bool:
        try:
            return await super().insert(document)
        finally:
            self._shown.forget(document.id)

    async def revoke(self, token: Token, now: int) -> bool:
        """False where it is revoked already."""
        try:
            return await self._collection.update_one(
                {"_id": token.id, "revoked_at": {"$eq": 0}}, {"$set": {"revoked_at": now}}
            )
        finally:
            self._shown.forget(token.id)

    async def revoke_all(self, account: str, now: int) -> None:
        """End all tokens of an account."""
        try:
            await self._collection.update_many(
                {"account": {"$eq": account}, "revoked_at": {"$eq": 0}}, {"$set": {"revoked_at": now}}
            )
        finally:
            self._shown.forget_all()

    async def note_use(self, token: Token, now: int) -> None:
        """The token was used at `now` (ms since the epoch)."""
        await self._collection.update_one({"_id": token.id}, {"$max": {"used_at": now}})
