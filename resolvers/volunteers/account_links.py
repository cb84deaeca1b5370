"""Whose machines hosts are."""

from __future__ import annotations

from cachetools import LRUCache

from resolvers.runtime import Runtime
from storage import Host

MOST_REMEMBERED = 100_000


class AccountLinks:
    """Links hosts to accounts, each once in this process: a claim comes every few seconds, and says the same."""

    def __init__(self, runtime: Runtime) -> None:
        self._hosts = runtime.store.hosts
        self._linked: LRUCache[str, str] = LRUCache(MOST_REMEMBERED)

    async def link(self, host: str, account: str) -> None:
        """The host with this key is a machine of the account from now on."""
        if self._linked.get(host) != account:
            await self._hosts.set(Host.id_of(host), {"account": account})
            self._linked[host] = account
