"""Documents that are deleted with all that hangs on them: at first they are gone, and later they are removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from storage.document import Document
from storage.repository import Repository

MARK = "!"
"""What the `seq` of a document that is gone begins with: it sorts before the `seq` of all others."""
ALL_MARKS = '"'
"""The text right after all of these."""
TIME_DIGITS = 13


def marked(when: int) -> str:
    """The `seq` of a document that is gone, and removed from `when` (ms since the epoch) on."""
    return f"{MARK}{when:0{TIME_DIGITS}d}"


def is_removable(seq: str, now: int) -> bool:
    """Whether a document that is gone, and has this `seq`, is to be removed now (ms since the epoch)."""
    return seq < marked(now)


D = TypeVar("D", bound=Document)


class Deletable(Repository[D]):
    """A document goes by one operation, which moves its `seq` to before those of all others: it has no place in lists
    any more, and whoever looks for it finds nothing. Its id stays taken until it is removed."""

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        """Have documents be gone, and change other fields of them; how many were there. They are removed from
        `remove_at` (ms since the epoch) on."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "seq": {"$gt": ALL_MARKS}}, {"$set": {"seq": marked(remove_at), **changes}}
        )

    async def gone(self, limit: int) -> Sequence[D]:
        """Those that are gone and not removed, the longest ago first."""
        return await self._gone_until(ALL_MARKS, limit)

    async def removable(self, now: int, limit: int) -> Sequence[D]:
        """Those that are to be removed now, the longest ago first."""
        return await self._gone_until(marked(now), limit)

    async def remove(self, ids: Collection[str]) -> int:
        """Remove documents that are gone; how many there were."""
        return await self._collection.delete_many({"_id": {"$in": list(ids)}, "seq": {"$lt": ALL_MARKS}})

    async def _gone_until(self, end: str, limit: int) -> Sequence[D]:
        stored = await self._collection.find({"seq": {"$gt": MARK, "$lt": end}}, sort=[("seq", 1)], limit=limit)
        return [self.kind.load(each) for each in stored]

    def _is_there(self, stored: Mapping[str, Any]) -> bool:
        return not stored["seq"].startswith(MARK)

    def _places(self, after: str, *, descending: bool) -> dict[str, str]:
        places = super()._places(after, descending=descending)
        return places if "$gt" in places else {"$gt": ALL_MARKS, **places}
