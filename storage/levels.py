from __future__ import annotations

from dataclasses import dataclass

from storage.engines import Index
from storage.flow_nodes import FlowNodes, NodeState, ended
from storage.resumable import ResumableDocument


@dataclass(slots=True, kw_only=True)
class Level(ResumableDocument):
    """A level of a flow: jobs that run in parallel, after the levels it depends on have ended."""

    flow: str
    seq: str
    number: int
    parent: str
    """The level that depends on this one; empty for the root."""
    position: int
    """Its place among the levels that its parent depends on."""
    depth: int
    dependents: int
    jobs: int
    state: str = NodeState.WAITING
    ended: bool = False
    reason: str = ""
    context: str = ""
    """What its jobs get, as JSON text; empty until the levels below have ended."""
    merged: str = ""
    """What its jobs made together, as JSON text; empty until it has ended."""
    generation: int = 0
    started_at: int = 0
    finished_at: int = 0

    @staticmethod
    def id_of(flow_key: str, number: int) -> str:
        return f"level:{flow_key}:{number}"


class Levels(FlowNodes[Level]):
    collection_name = "levels"
    kind = Level
    indexes = (
        Index(("flow", "seq")),
        Index(("flow", "state", "seq")),
        Index(("flow", "ended")),
        Index(("parent", "ended")),
        Index(("parent", "position")),
        Index(("rev",)),
        Index(("due",)),
    )

    async def begin(self, level: Level, context: str, *, now: int, due: int) -> bool:
        """WAITING -> RUNNING, with the context its jobs get and a time to look whether all of them started."""
        rev = self._clock.revision()
        started = {"state": NodeState.RUNNING, "context": context, "started_at": now, "rev": rev, "due": due}
        begun = await self._collection.update_one(
            {"_id": level.id, "state": {"$eq": NodeState.WAITING}, "generation": {"$eq": level.generation}},
            {"$set": started},
        )
        if begun:
            level.state, level.context, level.rev, level.due = NodeState.RUNNING, context, rev, due
        return begun

    async def end(
        self,
        level_id: str,
        generation: int,
        state: NodeState,
        *,
        now: int,
        due: int,
        merged: str = "",
        reason: str = "",
    ) -> bool:
        """To an end state; False where it has ended already, or is of a later generation."""
        changes = ended(state, now=now, due=due, reason=reason)
        present = {"_id": level_id, "ended": {"$eq": False}, "generation": {"$eq": generation}}
        return bool(await self._change(present, {**changes, "merged": merged}))

    async def any_unended(self, parent: str) -> bool:
        """Whether a level that `parent` depends on has not ended."""
        where = {"parent": {"$eq": parent}, "ended": {"$eq": False}}
        return await self._collection.find_one(where, ["state"]) is not None

    async def unended_below(self, parent: str, limit: int) -> list[int]:
        """The numbers of levels that `parent` depends on and that have not ended."""
        where = {"parent": {"$eq": parent}, "ended": {"$eq": False}}
        stored = await self._collection.find(where, limit=limit, projection=["number"])
        return sorted(each["number"] for each in stored)

    async def below(self, parent: str, *, after: int, limit: int) -> list[Level]:
        """The levels that `parent` depends on after a position, in order."""
        where = {"parent": {"$eq": parent}, "position": {"$gt": after}}
        stored = await self._collection.find(where, sort=[("position", 1)], limit=limit)
        return [Level.load(each) for each in stored]
