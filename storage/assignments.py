from __future__ import annotations

from storage.documents import Assignment
from storage.repository import Repository


class Assignments(Repository[Assignment]):
    collection_name = "assignments"
    kind = Assignment

    async def move(self, held: Assignment, task: str, lease: str) -> bool:
        """Point an assignment whose task its host no longer holds at another one."""
        return await self._collection.update_one(
            {"_id": held.id, "lease": {"$eq": held.lease}}, {"$set": {"task": task, "lease": lease}}
        )
