"""A collection that offers only the operations on which all engines agree."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from storage.engines.retries import until_answered
from storage.guard import Guard

Document: TypeAlias = dict[str, Any]
Filter: TypeAlias = Mapping[str, Any]
Update: TypeAlias = Mapping[str, Any]
Sort: TypeAlias = Sequence[tuple[str, int]]

_DUPLICATE_KEY = 11000  # MongoDB's error code of an `_id` that is taken.

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Index:
    """An ascending index over `keys`, whose fields every document of the collection has.

    An index over the same `keys` that is there already stays as it is.
    """

    keys: tuple[str, ...]


class Collection:
    """The documents of one name in a database.

    What a lost reply means: an operation is repeated while the database is away (`storage.engines.retries`),
    so it may have been carried out before the try that answered. Then `insert_one` reports False for its own
    document, `insert_many` names its own `_id`s as duplicates, an update whose filter names the state it
    leaves reports no match for its own change, deletions count too few, a claim takes a second document
    while the first stays claimed, and a `$inc` without such a filter counts twice. Callers that
    must know read the document back.
    """

    def __init__(self, motor: Any, guard: Guard, operations: Counter[str]) -> None:
        """Wrap the Motor collection `motor`; `operations` counts each operation under its name."""
        self._motor = motor
        self._guard = guard
        self._operations = operations

    async def find_one(self, where: Filter, projection: Sequence[str] | None = None) -> Document | None:
        """Return one document that matches `where`: its `_id` and the fields of `projection` (None: all)."""
        self._guard.check_where(where)
        self._guard.check_fields(projection or ())
        found: Document | None = await self._run("find_one", lambda: self._motor.find_one(where, _fields(projection)))
        return found

    async def find(
        self, where: Filter, *, limit: int, sort: Sort = (), projection: Sequence[str] | None = None
    ) -> list[Document]:
        """Return up to `limit` documents that match `where`, sorted by the (field, 1 or -1) of `sort`."""
        self._guard.check_where(where)
        self._guard.check_order(sort)
        self._guard.check_fields(projection or ())
        if limit < 1:
            return []  # MongoDB takes 0 for no limit.

        def read() -> Awaitable[list[Document]]:
            # One batch: a cursor doesn't outlive a restart of its engine.
            cursor = self._motor.find(
                where, _fields(projection), limit=limit, batch_size=limit, sort=list(sort) or None
            )
            documents: Awaitable[list[Document]] = cursor.to_list(limit)
            return documents

        return await self._run("find", read)

    async def insert_one(self, document: Document) -> bool:
        """Insert `document`; False when its `_id` is taken."""
        self._guard.check_document(document)
        try:
            await self._run("insert_one", lambda: self._motor.insert_one(document))
        except DuplicateKeyError:
            return False
        return True

    async def insert_many(self, documents: Sequence[Document]) -> set[str]:
        """Insert those of `documents` whose `_id` is free; return the `_id`s of the others.

        Raises:
            BulkWriteError: a document was refused for another reason.
        """
        if not documents:
            return set()
        for document in documents:
            self._guard.check_document(document)
        try:
            await self._run("insert_many", lambda: self._motor.insert_many(documents, ordered=False))
        except BulkWriteError as refused:
            errors = refused.details["writeErrors"]
            if any(error["code"] != _DUPLICATE_KEY for error in errors):
                raise
            return {documents[error["index"]]["_id"] for error in errors}
        return set()

    async def update_one(self, where: Filter, update: Update) -> bool:
        """Change one document that matches `where`; False when none does."""
        self._guard.check_where(where)
        self._guard.check_update(update)
        result = await self._run("update_one", lambda: self._motor.update_one(where, update))
        return bool(result.matched_count)

    async def update_many(self, where: Filter, update: Update) -> int:
        """Change all documents that match `where`; return how many do."""
        self._guard.check_where(where)
        self._guard.check_update(update)
        result = await self._run("update_many", lambda: self._motor.update_many(where, update))
        return int(result.matched_count)

    async def find_one_and_update(self, where: Filter, update: Update, sort: Sort) -> Document | None:
        """Change the first document in the order of `sort` that matches `where`; return it as changed.

        For claims only: the embedded engine answers None when `update` fails.
        """
        self._guard.check_where(where)
        self._guard.check_update(update)
        self._guard.check_order(sort)
        changed: Document | None = await self._run(
            "find_one_and_update",
            lambda: self._motor.find_one_and_update(
                where, update, sort=list(sort), return_document=ReturnDocument.AFTER
            ),
        )
        return changed

    async def delete_one(self, where: Filter) -> int:
        """Delete one document that matches `where`; return how many were deleted, 0 or 1."""
        self._guard.check_where(where)
        result = await self._run("delete_one", lambda: self._motor.delete_one(where))
        return int(result.deleted_count)

    async def delete_many(self, where: Filter) -> int:
        """Delete all documents that match `where`; return how many were deleted."""
        self._guard.check_where(where)
        result = await self._run("delete_many", lambda: self._motor.delete_many(where))
        return int(result.deleted_count)

    async def count(self, where: Filter) -> int:
        """Return how many documents match `where`."""
        rows = await self._aggregate("count", where, {"_id": None, "n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def group_count(self, where: Filter, by: str) -> dict[Any, int]:
        """Return how many documents match `where` for each value of the field `by`."""
        self._guard.check_fields([by])
        rows = await self._aggregate("group_count", where, {"_id": f"${by}", "n": {"$sum": 1}})
        return {row["_id"]: row["n"] for row in rows}

    async def group_sum(self, where: Filter, by: str, fields: Sequence[str]) -> dict[Any, dict[str, int]]:
        """Return how many documents match `where` (as `count`) and the sums of the numbers in their `fields`, for each
        value of the field `by`."""
        self._guard.check_fields([by, *fields])
        sums = {field: {"$sum": f"${field}"} for field in fields}
        rows = await self._aggregate("group_sum", where, {"_id": f"${by}", "count": {"$sum": 1}} | sums)
        # Documents of an earlier release may lack a field that is summed up.
        return {row["_id"]: {name: row[name] or 0 for name in ("count", *fields)} for row in rows}

    async def create_index(self, index: Index) -> None:
        """Create `index` when it is missing."""
        keys = [(key, ASCENDING) for key in index.keys]
        await self._run("create_index", lambda: self._motor.create_index(keys))

    async def _aggregate(self, name: str, where: Filter, group: Document) -> list[Document]:
        self._guard.check_where(where)
        pipeline = [{"$match": where}, {"$group": group}]
        return await self._run(name, lambda: self._motor.aggregate(pipeline).to_list(None))

    async def _run(self, name: str, operation: Callable[[], Awaitable[_Answer]]) -> _Answer:
        self._operations[name] += 1
        return await until_answered(operation)


def _fields(projection: Sequence[str] | None) -> list[str] | None:
    # An empty projection would read whole documents.
    return None if projection is None else ["_id", *projection]
