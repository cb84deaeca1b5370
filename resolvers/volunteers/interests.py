"""What hosts ask for, so that owners can see whether anybody supports them."""

from __future__ import annotations

from cachetools import TTLCache

from resolvers.runtime import Runtime
from storage import Host

MOST_KNOWN = 100_000
KNOWN_FOR_S = 30


class Interests:
    """The owners and jobs that hosts asked for in the last half minute. They are stored by the next sweep, at most
    twice a minute unless they change."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: TTLCache[str, tuple[frozenset[str], frozenset[str]]] = TTLCache(MOST_KNOWN, KNOWN_FOR_S)
        self._asked_at: dict[str, int] = {}

    def know_new(self, host: str) -> None:
        """A host that is stored as one without wishes."""
        self._known[host] = (frozenset(), frozenset())

    def note(self, host: str, owners: frozenset[str], jobs: frozenset[str]) -> None:
        """A host asks for work of these owners and jobs; empty: of all."""
        if self._known.get(host) != (owners, jobs):
            self._known[host] = (owners, jobs)
            self._asked_at[host] = self._runtime.now()

    async def store(self) -> None:
        """Store what the store does not know yet."""
        noted, self._asked_at = self._asked_at, {}
        for host, asked_at in noted.items():
            if wishes := self._known.get(host):
                await self._runtime.store.hosts.note_interests(Host.id_of(host), *wishes, asked_at)
