"""What flows, their levels and their jobs have in common: a process may leave them in the middle of something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from storage.documents import Flow, FlowJob, Level
from storage.repository import Repository

R = TypeVar("R", Flow, Level, FlowJob)


class Resumable(Repository[R]):
    """`due` is when the sweeper looks whether something was left half-way (ms since the epoch, 0: never), and `rev`
    is another one after each change."""

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
