"""Who may use a worker next: those who wait take turns, however much each of them asks for."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator


class Turns:
    """A number of permits, shared by groups of callers: round robin between groups, in order within one.

    It is a semaphore in which nobody waits for more than one turn of each other group
    (https://en.wikipedia.org/wiki/Round-robin_scheduling).
    """

    def __init__(self, permits: int) -> None:
        self._free = permits
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def acquire(self, group: str) -> None:
        """Wait for a permit; `release` gives it back."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(group, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release()
            else:
                self._forget(group, granted)
            raise

    def release(self) -> None:
        """Give a permit to the group whose turn it is."""
        while self._waiting:
            group, queue = self._waiting.popitem(last=False)
            granted = queue.popleft()
            if queue:
                self._waiting[group] = queue
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1

    @contextlib.asynccontextmanager
    async def of(self, group: str) -> AsyncIterator[None]:
        """A permit, for the time of the block."""
        await self.acquire(group)
        try:
            yield
        finally:
            self.release()

    def others_wait(self, group: str) -> bool:
        """Whether another group waits for a permit."""
        return any(each != group for each in self._waiting)

    def _forget(self, group: str, granted: asyncio.Future[None]) -> None:
        queue = self._waiting.get(group)
        if queue is not None and granted in queue:
            queue.remove(granted)
            if not queue:
                del self._waiting[group]
