"""What levels and jobs of flows have in common: states, of which some are the end, and a due time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from storage.documents import FlowJob, Level, NodeState
from storage.engines import Index
from storage.repository import Repository

N = TypeVar("N", Level, FlowJob)


class FlowNodes(Repository[N]):
    async def end(self, node_id: str, state: NodeState, *, rev: str, now: int, **changes: Any) -> bool:
        """To an end state; False where it has ended already."""
        return await self._collection.update_one(
            {"_id": node_id, "ended": {"$eq": False}},
            {"$set": {"state": state, "ended": True, "due": 0, "rev": rev, "finished_at": now, **changes}},
        )

    async def cancel_flow(self, flow: str, reason: str, *, rev: str, now: int) -> None:
        """To CANCELLED for all of a flow's that have not ended."""
        await self._collection.update_many(
            {"flow": {"$eq": flow}, "ended": {"$eq": False}},
            {
                "$set": {
                    "state": NodeState.CANCELLED,
                    "ended": True,
                    "due": 0,
                    "reason": reason,
                    "rev": rev,
                    "finished_at": now,
                }
            },
        )

    async def reopen(self, flow: str, frm: NodeState, *, generation: int, rev: str) -> int:
        """FAILED or CANCELLED -> WAITING for all of a flow's in that state that are of an earlier generation."""
        again = {
            "state": NodeState.WAITING,
            "ended": False,
            "reason": "",
            "generation": generation,
            "rev": rev,
            "finished_at": 0,
        }
        return await self._collection.update_many(
            {"flow": {"$eq": flow}, "state": {"$eq": frm}, "generation": {"$lt": generation}}, {"$set": again}
        )

    async def overdue(self, now: int, limit: int) -> Sequence[N]:
        """Those that a process left in the middle of something."""
        stored = await self._collection.find({"due": {"$gt": 0, "$lt": now}}, sort=[("due", 1)], limit=limit)
        return [self.kind.load(each) for each in stored]

    async def changed_since(self, flow: str, rev: str, limit: int) -> Sequence[N]:
        """A flow's that changed behind `rev`, the first change first."""
        stored = await self._collection.find(
            {"flow": {"$eq": flow}, "rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit
        )
        return [self.kind.load(each) for each in stored]


class Levels(FlowNodes[Level]):
    collection_name = "levels"
    kind = Level
    indexes = (
        Index(("flow", "seq")),
        Index(("flow", "state", "seq")),
        Index(("flow", "ended")),
        Index(("parent", "ended")),
        Index(("parent", "position")),
        Index(("flow", "rev")),
        Index(("due",)),
    )

    async def begin(self, level_id: str, context: str, *, rev: str, now: int, due: int) -> bool:
        """WAITING -> RUNNING, with the context its jobs get and a time to look whether all of them started."""
        started = {"state": NodeState.RUNNING, "context": context, "started_at": now, "rev": rev, "due": due}
        return await self._collection.update_one(
            {"_id": level_id, "state": {"$eq": NodeState.WAITING}}, {"$set": started}
        )

    async def all_started(self, level_id: str) -> None:
        """All its jobs have started: what they do moves it on from here."""
        await self._collection.update_one({"_id": level_id, "ended": {"$eq": False}}, {"$set": {"due": 0}})

    async def any_unended(self, parent: str) -> bool:
        """Whether a level that `parent` depends on has not ended."""
        where = {"parent": {"$eq": parent}, "ended": {"$eq": False}}
        return await self._collection.find_one(where, ["state"]) is not None

    async def below(self, parent: str, limit: int) -> list[Level]:
        """The levels that `parent` depends on, in order."""
        stored = await self._collection.find({"parent": {"$eq": parent}}, sort=[("position", 1)], limit=limit)
        return [Level.load(each) for each in stored]


class FlowJobs(FlowNodes[FlowJob]):
    collection_name = "flow_jobs"
    kind = FlowJob
    indexes = (
        Index(("flow", "seq")),
        Index(("flow", "state", "seq")),
        Index(("flow", "ended")),
        Index(("flow", "finished_at")),
        Index(("level", "ended")),
        Index(("level", "position")),
        Index(("level", "state", "position")),
        Index(("flow", "rev")),
        Index(("rev",)),
        Index(("due",)),
    )

    async def start(self, ids: Collection[str], *, rev: str, now: int, due: int) -> None:
        """WAITING -> QUEUED: runs are being made for them."""
        started = {"state": NodeState.QUEUED, "started_at": now, "rev": rev, "due": due}
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$eq": NodeState.WAITING}}, {"$set": started}
        )

    async def give_variable(self, job_id: str, variable: str) -> bool:
        """Keep the variable that was picked for a job which names none; the first pick stands."""
        return await self._collection.update_one(
            {"_id": job_id, "variable": {"$eq": ""}}, {"$set": {"variable": variable}}
        )

    async def started(self, ids: Collection[str], generation: int) -> int:
        """Their runs are stored; how many of them are still wanted."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "generation": {"$eq": generation}, "ended": {"$eq": False}},
            {"$set": {"due": 0}},
        )

    async def taken(self, ids: Collection[str], rev: str) -> None:
        """QUEUED -> RUNNING: hosts compute them."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$eq": NodeState.QUEUED}},
            {"$set": {"state": NodeState.RUNNING, "rev": rev}},
        )

    async def repeat(self, job: FlowJob, *, rev: str, due: int) -> bool:
        """On to the next run of a `while`; False where it is there already, or has ended."""
        return await self._collection.update_one(
            {
                "_id": job.id,
                "iteration": {"$eq": job.iteration},
                "generation": {"$eq": job.generation},
                "ended": {"$eq": False},
            },
            {"$set": {"iteration": job.iteration + 1, "state": NodeState.QUEUED, "rev": rev, "due": due}},
        )

    async def complete(self, job: FlowJob, value: str, *, rev: str, now: int) -> bool:
        """To COMPLETED with the result of the present run; False where that run is no longer the present one."""
        ended = {
            "state": NodeState.COMPLETED,
            "ended": True,
            "value": value,
            "due": 0,
            "rev": rev,
            "finished_at": now,
        }
        return await self._collection.update_one(
            {
                "_id": job.id,
                "iteration": {"$eq": job.iteration},
                "generation": {"$eq": job.generation},
                "ended": {"$eq": False},
            },
            {"$set": ended},
        )

    async def any_unended(self, level: str) -> bool:
        where = {"level": {"$eq": level}, "ended": {"$eq": False}}
        return await self._collection.find_one(where, ["state"]) is not None

    async def of_level(self, level: str, *, after: int, limit: int, state: NodeState | None = None) -> list[FlowJob]:
        """A level's jobs (in one state) behind a position, in order."""
        where: dict[str, Any] = {"level": {"$eq": level}, "position": {"$gt": after}}
        if state is not None:
            where["state"] = {"$eq": state}
        stored = await self._collection.find(where, sort=[("position", 1)], limit=limit)
        return [FlowJob.load(each) for each in stored]

    async def count_states(self, where: dict[str, str]) -> dict[str, dict[str, int]]:
        """By state: how many jobs there are (`one`) and how many runs they completed before the present one
        (`iteration`)."""
        return await self._collection.group_sum(
            {name: {"$eq": value} for name, value in where.items()}, by="state", fields=["one", "iteration"]
        )

    async def count_unended(self, flow: str) -> dict[str, int]:
        """How many jobs of a flow have not ended, by level."""
        return await self._collection.group_count({"flow": {"$eq": flow}, "ended": {"$eq": False}}, by="level")

    async def newest_rev(self) -> str:
        """The latest revision of any job, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""

    async def finished_since(self, flow: str, when: int) -> int:
        """How many of a flow's jobs ended at or after `when` (ms since the epoch)."""
        return await self._collection.count({"flow": {"$eq": flow}, "finished_at": {"$gte": when}})

    async def flows_changed_since(self, rev: str, limit: int) -> list[tuple[str, str]]:
        """The flow and the revision of each job that changed behind `rev`, the first change first."""
        stored = await self._collection.find(
            {"rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit, projection=["flow", "rev"]
        )
        return [(each["flow"], each["rev"]) for each in stored]
