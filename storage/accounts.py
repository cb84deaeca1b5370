from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from storage.deletable import Deletable
from storage.document import Document
from storage.engines import Database, Index
from storage.recent_reads import RecentReads


@dataclass(slots=True, kw_only=True)
class Account(Document):
    """Who submits work: a person or an organisation. What an account may do is in its tokens."""

    key: str
    name: str
    seq: str
    created_at: int
    identity: str = ""
    """Digest of whose it is to an OpenID Connect provider; empty: nobody's."""
    blocked_at: int = 0
    """When an operator blocked it; 0: it is not."""
    approved_at: int = 0
    """Since when its jobs need no approval; 0: they do, where the pool reviews jobs."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"account:{key}"


class Accounts(Deletable[Account]):
    collection_name = "accounts"
    kind = Account
    indexes = (Index(("seq",)), Index(("identity", "seq")))

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(database)
        self._shown = RecentReads(self.get, clock)

    async def shown(self, key: str) -> Account | None:
        """The account with this key, as it is or was within the last second: each request with a token asks for it."""
        return await self._shown.get(Account.id_of(key))

    async def insert(self, document: Account) -> bool:
        try:
            return await super().insert(document)
        finally:
            self._shown.forget(document.id)

    async def block(self, account: Account, now: int) -> None:
        """Block an account at `now` (ms since the epoch), or with 0 let it be."""
        await self._change(account.id, {"blocked_at": now})

    async def approve(self, key: str, now: int) -> None:
        """Approve of what an account submits from `now` (ms since the epoch) on."""
        await self._change(Account.id_of(key), {"approved_at": now})

    async def _change(self, account_id: str, changes: Mapping[str, Any]) -> None:
        try:
            await self.set(account_id, changes)
        finally:
            self._shown.forget(account_id)

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        try:
            return await super().delete(ids, remove_at=remove_at, **changes)
        finally:
            self._shown.forget_all()
