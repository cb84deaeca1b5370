from __future__ import annotations

from dataclasses import dataclass

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository


@dataclass(slots=True, kw_only=True)
class Request(Document):
    """A request that came with an idempotency key, and what it was answered."""

    token: str
    """Who carries it out, or did."""
    digest: str
    """SHA-256 of what it said."""
    answer: str = ""
    """Empty while it is carried out."""
    about: str = ""
    """What it is forgotten with: the id of a job or a flow."""
    due: int
    """When it is forgotten: a while after it was answered, or sooner where whoever carried it out died."""
    created_at: int


class Requests(Repository[Request]):
    """Inserted while it is carried out, then answered or forgotten by whoever inserted it."""

    collection_name = "requests"
    kind = Request
    indexes = (Index(("due",)), Index(("about",)))

    async def keep(self, request: Request) -> bool:
        """Store the answer; False where another carries the request out by now."""
        return await self._collection.update_one(
            {"_id": request.id, "token": {"$eq": request.token}},
            {"$set": {"answer": request.answer, "due": request.due}},
        )

    async def forget(self, request: Request) -> None:
        await self._collection.delete_one({"_id": request.id, "token": {"$eq": request.token}})

    async def forget_overdue(self, now: int) -> int:
        """How many were forgotten, because they are `due` before `now` (ms since the epoch)."""
        return await self._collection.delete_many({"due": {"$lt": now}})
