"""What was read within the last second, for documents that are read with every request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

from cachetools import TTLCache

STALE_AFTER_S = 1.0
MOST_KEPT = 10_000
_UNREAD = object()

D = TypeVar("D")


class RecentReads(Generic[D]):
    """A cache that is exact in the process that writes, and says so by `forget`; in the others it is at most one second
    stale. That there is no such document is kept as well."""

    def __init__(self, read: Callable[[str], Awaitable[D | None]], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._kept: TTLCache[str, Any] = TTLCache(maxsize=MOST_KEPT, ttl=STALE_AFTER_S, timer=clock)
        self._writes = 0

    async def get(self, document_id: str) -> D | None:
        """The document as it is, or was within the last second."""
        held = self._kept.get(document_id, _UNREAD)
        if held is not _UNREAD:
            return cast("D | None", held)
        writes, began = self._writes, self._clock()
        document = await self._read(document_id)
        # A write that came in while this read was under way may be newer than what was read, and what a read that took
        # long has brought is stale already.
        if writes == self._writes and self._clock() - began < STALE_AFTER_S / 10:
            self._kept[document_id] = document
        return document

    def forget(self, document_id: str) -> None:
        """The document is written, or was."""
        self._writes += 1
        self._kept.pop(document_id, None)

    def forget_all(self) -> None:
        """Any of them may have been written."""
        self._writes += 1
        self._kept.clear()
