"""Whose machines hosts are, and where they ask from."""

from __future__ import annotations

from cachetools import LRUCache

from resolvers.runtime import Runtime
from storage import Host

MOST_REMEMBERED = 100_000


class HostLinks:
    """Links hosts to accounts and address groups, each once in this process: a claim comes every few seconds, and says
    the same."""

    def __init__(self, runtime: Runtime) -> None:
        self._hosts = runtime.store.hosts
        self._linked: LRUCache[str, dict[str, str]] = LRUCache(MOST_REMEMBERED)

    def know_new(self, host: str, group: str) -> None:
        """A host that is stored as one of this address group."""
        self._linked[host] = {"group": group}

    async def link(self, host: str, *, account: str, group: str) -> None:
        """The host with this key is a machine of the account (empty: of whose it was), and asks from the address
        group."""
        said = {"group": group, **({"account": account} if account else {})}
        known = self._linked.get(host, {})
        if changes := {name: value for name, value in said.items() if known.get(name) != value}:
            await self._hosts.set(Host.id_of(host), changes)
            self._linked[host] = {**known, **said}
