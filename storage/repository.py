"""What every repository can do: get, insert, and list by key set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Collection as Collected
from typing import Any, ClassVar, Generic, TypeVar

from storage.document import Document
from storage.engines import Collection, Database, Index

D = TypeVar("D", bound=Document)

Stored = dict[str, Any]
Scalar = str | int | float | bool

AT_ONCE = 500
"""Documents that are made, checked, and sent or read in one go, while nothing else is done."""


class Repository(Generic[D]):
    """Documents of one kind in one collection.

    Subclasses name the collection, its indexes and the transitions that its documents go through: each one a
    single-document compare-and-set whose filter names the states it may leave, or the same for many at once.
    """

    collection_name: ClassVar[str]
    indexes: ClassVar[Sequence[Index]] = ()
    kind: type[D]

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database.collection(self.collection_name)

    async def get(self, document_id: str) -> D | None:
        stored = await self._collection.find_one({"_id": document_id})
        return self.kind.load(stored) if stored is not None and self._is_there(stored) else None

    async def get_many(self, ids: Iterable[str]) -> dict[str, D]:
        """The documents that are there, by id."""
        found: dict[str, D] = {}
        async for stored in self._with(ids):
            found |= {each["_id"]: self.kind.load(each) for each in stored if self._is_there(each)}
        return found

    async def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that there are documents for, without reading these."""
        found = set[str]()
        async for stored in self._with(ids, projection=["seq"]):
            found |= {each["_id"] for each in stored if self._is_there(each)}
        return found

    async def _with(self, ids: Iterable[str], projection: Sequence[str] | None = None) -> AsyncIterator[list[Stored]]:
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            yield await self._collection.find({"_id": {"$in": some}}, limit=len(some), projection=projection)

    async def insert(self, document: D) -> bool:
        """False where the id is taken already; nothing is overwritten."""
        return await self._collection.insert_one(document.dump())

    async def insert_many(self, documents: Sequence[D]) -> set[str]:
        """The ids that were taken already; all others are stored."""
        taken = set[str]()
        for start in range(0, len(documents), AT_ONCE):
            taken |= await self._collection.insert_many([each.dump() for each in documents[start : start + AT_ONCE]])
        return taken

    async def page(
        self,
        matching: Mapping[str, Scalar],
        *,
        first: int,
        after: str = "",
        newest_first: bool = False,
        backwards: bool = False,
    ) -> list[D]:
        """The next `first` documents whose fields equal `matching`, in the order of `seq`, after the cursor
        `after` (a `seq`, or empty for the start); `backwards`: those right before it (or the end), in the same order.
        """
        descending = newest_first != backwards
        wanted: dict[str, Any] = {name: {"$eq": value} for name, value in matching.items()}
        if places := self._places(after, descending=descending):
            wanted["seq"] = places
        order = [("seq", -1 if descending else 1)]
        stored = await self._collection.find(wanted, sort=order, limit=first)
        return [self.kind.load(each) for each in (reversed(stored) if backwards else stored)]

    def _is_there(self, stored: Mapping[str, Any]) -> bool:
        """Whether a stored document is to be found by its id."""
        return True

    def _places(self, after: str, *, descending: bool) -> dict[str, str]:
        """Which `seq` the documents after a cursor have."""
        return {"$lt" if descending else "$gt": after} if after else {}

    async def remove_some(self, field: str, value: str, limit: int) -> int:
        """Remove up to `limit` documents whose `field` is `value`; how many there were."""
        found = await self._collection.find({field: {"$eq": value}}, limit=limit, projection=[field])
        if found:
            await self._collection.delete_many({"_id": {"$in": [each["_id"] for each in found]}})
        return len(found)

    async def remove_all(self, ids: Collected[str]) -> int:
        """Remove documents that nobody changes any more; how many there were."""
        return await self._collection.delete_many({"_id": {"$in": list(ids)}}) if ids else 0

    async def count(self, matching: Mapping[str, Scalar]) -> int:
        return await self._collection.count({name: {"$eq": value} for name, value in matching.items()})

    async def count_by(self, field: str, matching: Mapping[str, Scalar]) -> dict[str, int]:
        """How many documents equal `matching`, by the value of `field`."""
        wanted = {name: {"$eq": value} for name, value in matching.items()}
        return await self._collection.group_count(wanted, by=field)

    async def set(self, document_id: str, changes: Mapping[str, Any]) -> bool:
        """Set fields that no decision hangs on. False where there is no such document."""
        return await self._collection.update_one({"_id": document_id}, {"$set": dict(changes)})
