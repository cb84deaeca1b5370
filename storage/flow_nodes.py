"""What levels and jobs of flows have in common: states, of which some are the end, and a due time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from storage.documents import Flow, FlowJob, Level, NodeState
from storage.engines import Index
from storage.resumable import Resumable

N = TypeVar("N", Level, FlowJob)


class FlowNodes(Resumable[N]):
    async def _change(self, where: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        """Set fields of all that match; how many do."""
        return await self._revised(lambda rev: self._collection.update_many(where, {"$set": {**changes, "rev": rev}}))

    async def cancel_flow(self, flow: Flow, reason: str, *, now: int) -> None:
        """To CANCELLED for all of a flow's that have not ended, unless it was retried since it was read."""
        await self._change(
            {"flow": {"$eq": flow.id}, "ended": {"$eq": False}, "generation": {"$lte": flow.generation}},
            _ended(NodeState.CANCELLED, now=now, reason=reason),
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
        """Some fields of a flow's, in the order of its text, behind the `seq` `after` (empty: from the start)."""
        where: dict[str, Any] = {"flow": {"$eq": flow}}
        if after:
            where["seq"] = {"$gt": after}
        return await self._collection.find(where, sort=[("seq", 1)], limit=limit, projection=["seq", *fields])


def _ended(state: NodeState, *, now: int, due: int = 0, reason: str = "") -> dict[str, Any]:
    return {"state": state, "ended": True, "due": due, "reason": reason, "finished_at": now}


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
        ended = _ended(state, now=now, due=due, reason=reason)
        present = {"_id": level_id, "ended": {"$eq": False}, "generation": {"$eq": generation}}
        return bool(await self._change(present, {**ended, "merged": merged}))

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
        """The levels that `parent` depends on behind a position, in order."""
        where = {"parent": {"$eq": parent}, "position": {"$gt": after}}
        stored = await self._collection.find(where, sort=[("position", 1)], limit=limit)
        return [Level.load(each) for each in stored]


class FlowJobs(FlowNodes[FlowJob]):
    collection_name = "flow_jobs"
    kind = FlowJob
    indexes = (
        Index(("flow", "seq")),
        Index(("flow", "state", "seq")),
        Index(("flow", "ended")),
        Index(("level", "ended")),
        Index(("level", "position")),
        Index(("level", "state", "position")),
        Index(("flow", "rev")),
        Index(("rev",)),
        Index(("due",)),
    )

    async def start(self, ids: Collection[str], *, generation: int, now: int, due: int) -> None:
        """WAITING -> QUEUED: runs are being made for them."""
        started = {"state": NodeState.QUEUED, "started_at": now, "due": due}
        await self._change(
            {"_id": {"$in": list(ids)}, "state": {"$eq": NodeState.WAITING}, "generation": {"$eq": generation}},
            started,
        )

    async def give_variable(self, ids: Collection[str], variable: str) -> int:
        """Keep the variable that was picked for jobs which name none; how many had none yet: the first pick stands."""
        return await self._collection.update_many(
            {"_id": {"$in": list(ids)}, "variable": {"$eq": ""}}, {"$set": {"variable": variable}}
        )

    async def started(self, ids: Collection[str], *, generation: int, iteration: int) -> int:
        """Their runs are stored; how many of them still want these."""
        return await self._collection.update_many(
            {
                "_id": {"$in": list(ids)},
                "generation": {"$eq": generation},
                "iteration": {"$eq": iteration},
                "ended": {"$eq": False},
            },
            {"$set": {"due": 0}},
        )

    async def taken(self, ids: Collection[str]) -> None:
        """QUEUED -> RUNNING: hosts compute them."""
        await self._change(
            {"_id": {"$in": list(ids)}, "state": {"$eq": NodeState.QUEUED}}, {"state": NodeState.RUNNING}
        )

    async def repeat(self, job: FlowJob, *, due: int) -> bool:
        """On to the next run of a `while`; False where it is there already, or has ended."""
        again = {"iteration": job.iteration + 1, "state": NodeState.QUEUED, "due": due}
        return bool(await self._change(_at_present(job), again))

    async def end(
        self, job: FlowJob, state: NodeState, *, now: int, due: int = 0, value: str = "", reason: str = ""
    ) -> bool:
        """To an end state; False where it has ended already, or is not at the run that `job` shows any more."""
        ended = _ended(state, now=now, due=due, reason=reason)
        return bool(await self._change(_at_present(job), {**ended, "value": value}))

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

    async def sums_unended(self, flow: str, job: str = "") -> dict[str, dict[str, int]]:
        """By level, of a flow's jobs (of those that run this one) that have not ended: how many there are (`one`), with
        how many tasks their runs start (`replicas`), and how many runs they completed before the present one
        (`iteration`)."""
        where: dict[str, Any] = {"flow": {"$eq": flow}, "ended": {"$eq": False}}
        if job:
            where["job"] = {"$eq": job}
        return await self._collection.group_sum(where, by="level", fields=["one", "replicas", "iteration"])

    async def sums_completed(self, flow: str) -> dict[str, dict[str, int]]:
        """By job, of those that a flow completed: how many there are (`one`), and how many runs they completed before
        their last one (`iteration`)."""
        done = {"flow": {"$eq": flow}, "state": {"$eq": NodeState.COMPLETED}}
        return await self._collection.group_sum(done, by="job", fields=["one", "iteration"])

    async def newest_rev(self) -> str:
        """The latest revision of any job, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""

    async def changed_since(self, flow: str, rev: str, limit: int) -> list[FlowJob]:
        """A flow's that changed behind `rev`, the first change first."""
        stored = await self._collection.find(
            {"flow": {"$eq": flow}, "rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit
        )
        return [FlowJob.load(each) for each in stored]

    async def flows_changed_since(self, rev: str, limit: int) -> list[tuple[str, str]]:
        """The flow and the revision of each job that changed behind `rev`, the first change first."""
        stored = await self._collection.find(
            {"rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit, projection=["flow", "rev"]
        )
        return [(each["flow"], each["rev"]) for each in stored]


def _at_present(job: FlowJob) -> dict[str, Any]:
    """A job that has not ended, and is still at the run that `job` shows."""
    return {
        "_id": job.id,
        "iteration": {"$eq": job.iteration},
        "generation": {"$eq": job.generation},
        "ended": {"$eq": False},
    }
