"""Who may use a worker next: those who wait take turns, however much each of them asks for."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator


class Turns:
    """A number of permits, shared by groups of callers: round robin between groups, in order within one.

    It is a semaphore in which nobody waits for more than one turn of each other group
    (https://en.wikipedia.org/wiki/Round-robin_scheduling).
    """

    def __init__(self, permits: int, extra: int = 0) -> None:
        """
        Args:
            permits: how many there are.
            extra: how many there are beyond these, for groups that hold none: they need not wait for the end of what
                one group does with all the others.
        """
        self._permits = permits
        self._extra = extra
        self._held = Counter[str]()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def acquire(self, group: str) -> None:
        """Wait for a permit; `release` gives it back."""
        if self._may(group):
            self._held[group] += 1
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(group, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release(group)
            else:
                self._forget(group, granted)
            raise

    def release(self, group: str) -> None:
        """Give a permit that the group holds to the one whose turn it is."""
        self._held[group] -= 1
        if not self._held[group]:
            del self._held[group]
        while (next_group := next(filter(self._may, self._waiting), None)) is not None:
            queue = self._waiting.pop(next_group)
            granted = queue.popleft()
            if queue:
                self._waiting[next_group] = queue
            if not granted.done():
                self._held[next_group] += 1
                granted.set_result(None)

    def _may(self, group: str) -> bool:
        """Whether there is a permit for the group. Those that wait have none."""
        room = self._permits if self._held[group] else self._permits + self._extra
        return self._held.total() < room

    @contextlib.asynccontextmanager
    async def of(self, group: str) -> AsyncIterator[None]:
        """A permit, for the time of the block."""
        await self.acquire(group)
        try:
            yield
        finally:
            self.release(group)

    def others_wait(self, group: str) -> bool:
        """Whether another group waits for a permit."""
        return any(each != group for each in self._waiting)

    def _forget(self, group: str, granted: asyncio.Future[None]) -> None:
        queue = self._waiting.get(group)
        if queue is not None and granted in queue:
            queue.remove(granted)
            if not queue:
                del self._waiting[group]
