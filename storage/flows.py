from __future__ import annotations

from collections.abc import Collection
from typing import Any

from storage.documents import Flow, FlowState
from storage.engines import Index
from storage.repository import Repository


class Flows(Repository[Flow]):
    """The flow's state machine: every method names the state it may leave."""

    collection_name = "flows"
    kind = Flow
    indexes = (
        Index(("seq",)),
        Index(("state", "seq")),
        Index(("owner", "seq")),
        Index(("owner", "state", "seq")),
        Index(("rev",)),
        Index(("due",)),
    )

    async def move(self, flow_id: str, frm: FlowState, to: FlowState, *, rev: str, **changes: Any) -> bool:
        """One state to another, together with other fields; False where it is in another state by now."""
        return await self._collection.update_one(
            {"_id": flow_id, "state": {"$eq": frm}}, {"$set": {"state": to, "rev": rev, **changes}}
        )

    async def touch(self, ids: Collection[str], rev: str) -> None:
        """Say that something in these flows changed."""
        await self._collection.update_many({"_id": {"$in": list(ids)}}, {"$set": {"rev": rev}})

    async def overdue(self, now: int, limit: int) -> list[Flow]:
        """Flows that a process left in the middle of something."""
        stored = await self._collection.find({"due": {"$gt": 0, "$lt": now}}, sort=[("due", 1)], limit=limit)
        return [Flow.load(each) for each in stored]

    async def changed_since(self, rev: str, limit: int) -> list[Flow]:
        stored = await self._collection.find({"rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit)
        return [Flow.load(each) for each in stored]

    async def newest_rev(self) -> str:
        """The latest revision of any flow, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""
