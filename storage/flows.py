from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from storage.deletable import ALL_MARKS, Deletable
from storage.engines import Index
from storage.resumable import Resumable, ResumableDocument


class FlowState(StrEnum):
    """NEW: still being stored. CANCELLING: `ending` is the state that follows once all of it is cancelled."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True)
class Flow(ResumableDocument):
    """A tree of jobs that was submitted as one."""

    stored_names = MappingProxyType({"queues": "lanes"})

    key: str
    seq: str
    name: str = ""
    owner: str = ""
    account: str = ""
    """The account that it was submitted by, or for; empty: nobody was known."""
    visibility: str = ""
    """PUBLIC or PRIVATE; empty: it was stored before there were private ones."""
    is_unreviewed: bool = False
    """Its conditions are evaluated once its account is approved: it was not when the flow was submitted."""
    state: str = FlowState.NEW
    ended: bool = False
    ending: str = ""
    reason: str = ""
    on_failure: str
    generation: int = 0
    """How often it was retried."""
    jobs: int
    levels: int
    queues: list[str]
    """The queues its tasks wait in."""
    result: str = ""
    due: int
    """When the sweeper looks whether what the flow is in the middle of was left half-way; 0: never."""
    created_at: int
    finished_at: int = 0

    @staticmethod
    def id_of(key: str) -> str:
        return f"flow:{key}"


class Flows(Resumable[Flow], Deletable[Flow]):
    """The flow's state machine: every method names the state it may leave."""

    collection_name = "flows"
    kind = Flow
    indexes = (
        Index(("seq",)),
        Index(("state", "seq")),
        Index(("owner", "seq")),
        Index(("owner", "state", "seq")),
        Index(("account", "ended")),
        Index(("rev",)),
        Index(("due",)),
    )

    async def sums(self, account: str) -> dict[bool, dict[str, int]]:
        """The `count` of an account's flows and how many `jobs` they have, by whether they have ended."""
        return await self._collection.group_sum({"account": {"$eq": account}}, by="ended", fields=["jobs"])

    async def move(self, flow: Flow, frm: FlowState, to: FlowState, **changes: Any) -> bool:
        """One state to another, together with other fields; False where it is in another state, or was retried, by
        now."""
        return await self._collection.update_one(
            {"_id": flow.id, "state": {"$eq": frm}, "generation": {"$eq": flow.generation}},
            {"$set": {"state": to, "rev": self._clock.revision(), **changes}},
        )

    async def of_account(self, account: str, limit: int) -> Sequence[Flow]:
        """An account's flows."""
        where = {"owner": {"$eq": account}, "account": {"$eq": account}, "seq": {"$gt": ALL_MARKS}}
        return [Flow.load(each) for each in await self._collection.find(where, limit=limit)]

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        """Nothing moves them on any more, and who watches them finds out."""
        ended = {"state": FlowState.CANCELLED, "ended": True, "due": 0, "rev": self._clock.revision()}
        return await super().delete(ids, remove_at=remove_at, **ended, **changes)

    async def changed_since(self, rev: str, limit: int) -> list[Flow]:
        stored = await self._collection.find({"rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit)
        return [Flow.load(each) for each in stored]

    async def newest_rev(self) -> str:
        """The latest revision of any flow, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""
