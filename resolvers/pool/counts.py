"""The pool as a whole: how much there is to do, and how fast it goes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from resolvers.runtime import Runtime
from storage import TaskState

MINUTE_MS = 60_000
ACTIVE_HOST_MS = 10 * MINUTE_MS
COST_SHARE = 20


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Counts that were taken from `begun_at` to `measured_at` (ms since the epoch)."""

    begun_at: int
    tasks: dict[str, int]
    results_last_minute: int
    results_last_hour: int
    hosts: int
    active_hosts: int
    verdicts_last_hour: dict[str, int]
    measured_at: int


class PoolStatusCache:
    """Counting looks at every task: it is repeated no sooner than twenty times as long as it took."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = runtime.store
        self._now = runtime.now
        self._status: PoolStatus | None = None
        self._fresh_until = 0.0
        self._counting = asyncio.Lock()

    async def status(self) -> PoolStatus:
        """The counts, not older than a second or twenty times what they cost."""
        async with self._counting:
            began = time.monotonic()
            if self._status is None or began >= self._fresh_until:
                self._status = await self._count()
                ended = time.monotonic()
                self._fresh_until = ended + max(1.0, (ended - began) * COST_SHARE)
            return self._status

    async def _count(self) -> PoolStatus:
        store, now = self._store, self._now()
        return PoolStatus(
            begun_at=now,
            tasks={state: await store.tasks.count({"status": state}) for state in TaskState},
            results_last_minute=await store.results.count_since(now - MINUTE_MS),
            results_last_hour=await store.results.count_since(now - 60 * MINUTE_MS),
            hosts=await store.hosts.count({}),
            active_hosts=await store.hosts.count_seen_since(now - ACTIVE_HOST_MS),
            verdicts_last_hour=await store.results.verdicts_since(now - 60 * MINUTE_MS),
            measured_at=self._now(),  # The last: all the others are counted by then.
        )
