"""What flows, their levels and their jobs have in common: a process may leave them in the middle of something."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from storage.document import Document
from storage.engines import Database
from storage.repository import Repository

T = TypeVar("T")

PROMPT_S = 1.0
"""How old a revision may be when its change is stored, in seconds."""
MOST_RENEWALS = 10


@dataclass(slots=True, kw_only=True)
class ResumableDocument(Document):
    rev: str = ""
    due: int = 0


R = TypeVar("R", bound=ResumableDocument)


class Resumable(Repository[R]):
    """`due` is when the sweeper looks whether something was left half-way (ms since the epoch, 0: never), and `rev`
    is another one after each change, and later revisions sort after earlier ones."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._clock = database.clock

    async def insert(self, document: R) -> bool:
        document.rev = self._clock.revision()
        return await self._collection.insert_one(document.dump())

    async def insert_many(self, documents: Sequence[R]) -> set[str]:
        async def store(rev: str) -> set[str]:
            for document in documents:
                document.rev = rev
            return await self._collection.insert_many([document.dump() for document in documents])

        return await self._revised(store) if documents else set()

    async def set_due(self, document: R, due: int) -> bool:
        """False where it has changed since it was read, or another sweeper has taken it."""
        changed = await self._collection.update_one(
            {"_id": document.id, "rev": {"$eq": document.rev}, "due": {"$eq": document.due}}, {"$set": {"due": due}}
        )
        if changed:
            document.due = due
        return changed

    async def overdue(self, now: int, limit: int) -> Sequence[R]:
        """Those that a process left in the middle of something, the longest ago first."""
        stored = await self._collection.find({"due": {"$gt": 0, "$lt": now}}, sort=[("due", 1)], limit=limit)
        return [self.kind.load(each) for each in stored]

    async def _revised(self, change: Callable[[str], Awaitable[T]]) -> T:
        """Carry out a change under a new revision.

        Who watches revisions reads those of a certain age, and does not look back: a revision that is stored too late
        is replaced by a younger one, until that is stored in time. A store that is slow all the time is not helped by
        ever more to do.
        """
        rev, began = self._clock.revision(), time.monotonic()
        outcome = await change(rev)
        for _ in range(MOST_RENEWALS):
            if time.monotonic() - began <= PROMPT_S:
                break
            old, rev, began = rev, self._clock.revision(), time.monotonic()
            await self._collection.update_many({"rev": {"$eq": old}}, {"$set": {"rev": rev}})
        return outcome
