from __future__ import annotations

from dataclasses import dataclass

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class Assignment(Document):
    """That a host has a replica of a unit. Its id is unique: no host gets two."""

    task: str
    lease: str
    unit: str = ""
    within: str = ""
    """What it is removed with: the id of the unit's flow, or of its job."""

    @staticmethod
    def id_of(unit: str, host: str) -> str:
        return f"{unit}@{host}"


class Assignments(Repository[Assignment]):
    collection_name = "assignments"
    kind = Assignment
    indexes = (Index(("unit",)), Index(("within",)))

    async def move(self, held: Assignment, task: str, lease: str) -> bool:
        """Point an assignment whose task its host no longer holds at another one."""
        return await self._collection.update_one(
            {"_id": held.id, "lease": {"$eq": held.lease}}, {"$set": {"task": task, "lease": lease}}
        )
