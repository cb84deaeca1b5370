from __future__ import annotations

from storage.documents import Run, UnitState
from storage.engines import Index
from storage.units import Units


class Runs(Units[Run]):
    collection_name = "runs"
    kind = Run
    indexes = (
        Index(("flow_job", "seq")),
        Index(("flow", "finished_at")),
        Index(("state", "due")),
    )

    async def cancel_flow(self, flow: str, reason: str, now: int) -> None:
        """To CANCELLED for all runs of a flow that have not ended."""
        await self._collection.update_many(
            {"flow": {"$eq": flow}, "finished_at": {"$eq": 0}},
            {"$set": {"state": UnitState.CANCELLED, "reason": reason, "finished_at": now}},
        )
