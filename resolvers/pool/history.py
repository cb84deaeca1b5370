"""How many results came in each of the last minutes."""

from __future__ import annotations

from resolvers.runtime import Runtime

MINUTES = 60
MINUTE_MS = 60_000
SETTLED_MINUTES = 1
"""A minute so many minutes ago is not counted again: results are stored soon after the time that they carry."""


class ResultHistory:
    """Counts by minute. Each is asked of the store once: 60 short counts at first, then one or two a minute."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = runtime.store
        self._now = runtime.now
        self._settled: dict[int, int] = {}

    async def by_minute(self) -> list[int]:
        """Results of each of the last 60 whole minutes, the oldest first."""
        current = self._now() // MINUTE_MS
        wanted = range(current - MINUTES, current)
        self._settled = {minute: count for minute, count in self._settled.items() if minute in wanted}
        return [await self._count(minute, current) for minute in wanted]

    async def _count(self, minute: int, current: int) -> int:
        if minute in self._settled:
            return self._settled[minute]
        start = minute * MINUTE_MS
        count = await self._store.results.count_between(start, start + MINUTE_MS)
        if minute < current - SETTLED_MINUTES:
            self._settled[minute] = count
        return count
