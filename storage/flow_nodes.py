"""What levels and jobs of flows have in common: states, of which some are the end, and a due time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from storage.flows import Flow
from storage.resumable import Resumable, ResumableDocument

N = TypeVar("N", bound=ResumableDocument)


class NodeState(StrEnum):
    """Where a level or a job of a flow stands. The last four absorb."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class FlowNodes(Resumable[N]):
    async def _change(self, where: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        """Set fields of all that match; how many do."""
        return await self._revised(lambda rev: self._collection.update_many(where, {"$set": {**changes, "rev": rev}}))

    async def cancel_flow(self, flow: Flow, reason: str, *, now: int) -> None:
        """To CANCELLED for all of a flow's that have not ended, unless it was retried since it was read."""
        await self._change(
            {"flow": {"$eq": flow.id}, "ended": {"$eq": False}, "generation": {"$lte": flow.generation}},
            ended(NodeState.CANCELLED, now=now, reason=reason),
        )

    async def reopen(self, flow: Flow, frm: NodeState) -> int:
        """FAILED or CANCELLED -> WAITING for all of a flow's in that state that are of an earlier generation."""
        again = {
            "state": NodeState.WAITING,
            "ended": False,
            "reason": "",
            "generation": flow.generation,
            "due": 0,
            "finished_at": 0,
        }
        return await self._change(
            {"flow": {"$eq": flow.id}, "state": {"$eq": frm}, "generation": {"$lt": flow.generation}}, again
        )

    async def outlines(self, flow: str, fields: Sequence[str], *, after: str, limit: int) -> list[dict[str, Any]]:
        """Some fields of a flow's nodes, in the order of its text, after the `seq` `after` (empty: from the start)."""
        where: dict[str, Any] = {"flow": {"$eq": flow}}
        if after:
            where["seq"] = {"$gt": after}
        return await self._collection.find(where, sort=[("seq", 1)], limit=limit, projection=["seq", *fields])


def ended(state: NodeState, *, now: int, due: int = 0, reason: str = "") -> dict[str, Any]:
    return {"state": state, "ended": True, "due": due, "reason": reason, "finished_at": now}
