from __future__ import annotations

from typing import Any

from storage.documents import Flow, FlowState
from storage.engines import Index
from storage.resumable import Resumable


class Flows(Resumable[Flow]):
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

    async def move(self, flow: Flow, frm: FlowState, to: FlowState, **changes: Any) -> bool:
        """One state to another, together with other fields; False where it is in another state, or was retried, by
        now."""
        return await self._collection.update_one(
            {"_id": flow.id, "state": {"$eq": frm}, "generation": {"$eq": flow.generation}},
            {"$set": {"state": to, "rev": self._clock.revision(), **changes}},
        )

    async def changed_since(self, rev: str, limit: int) -> list[Flow]:
        stored = await self._collection.find({"rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit)
        return [Flow.load(each) for each in stored]

    async def newest_rev(self) -> str:
        """The latest revision of any flow, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""
