from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from storage.engines import Index
from storage.flow_nodes import FlowNodes, NodeState, ended
from storage.resumable import ResumableDocument


@dataclass(slots=True, kw_only=True)
class FlowJob(ResumableDocument):
    """One job at its place in a flow."""

    flow: str
    level: str
    seq: str
    number: int
    position: int
    """Its place in its level."""
    job: str
    variable: str
    """Key of the variable it was given or, once it started, of the variable that was picked."""
    condition: str = ""
    """The source of its `if`."""
    repeat: str = ""
    """The source of its `while`."""
    alias: str
    """The name its result is merged under where that is not an object."""
    policy: dict[str, Any]
    replicas: int
    """How many tasks each of its runs starts with."""
    state: str = NodeState.WAITING
    ended: bool = False
    reason: str = ""
    iteration: int = 0
    """How many runs it completed before the present one."""
    generation: int = 0
    value: str = ""
    """Its result as JSON text once it is completed."""
    started_at: int = 0
    finished_at: int = 0

    @staticmethod
    def id_of(flow_key: str, number: int) -> str:
        return f"fjob:{flow_key}:{number}"


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
        changes = ended(state, now=now, due=due, reason=reason)
        return bool(await self._change(_at_present(job), {**changes, "value": value}))

    async def any_unended(self, level: str) -> bool:
        where = {"level": {"$eq": level}, "ended": {"$eq": False}}
        return await self._collection.find_one(where, ["state"]) is not None

    async def of_level(self, level: str, *, after: int, limit: int, state: NodeState | None = None) -> list[FlowJob]:
        """A level's jobs (in one state) after a position, in order."""
        where: dict[str, Any] = {"level": {"$eq": level}, "position": {"$gt": after}}
        if state is not None:
            where["state"] = {"$eq": state}
        stored = await self._collection.find(where, sort=[("position", 1)], limit=limit)
        return [FlowJob.load(each) for each in stored]

    async def count_states(self, where: dict[str, str]) -> dict[str, dict[str, int]]:
        """By state: how many jobs there are (`count`) and how many runs they completed before the present one
        (`iteration`)."""
        return await self._collection.group_sum(
            {name: {"$eq": value} for name, value in where.items()}, by="state", fields=["iteration"]
        )

    async def sums_unended(self, flow: str, job: str = "") -> dict[str, dict[str, int]]:
        """By level, of a flow's jobs (of those that run this one) that have not ended: how many there are (`count`),
        with how many tasks their runs start (`replicas`), and how many runs they completed before the present one
        (`iteration`)."""
        where: dict[str, Any] = {"flow": {"$eq": flow}, "ended": {"$eq": False}}
        if job:
            where["job"] = {"$eq": job}
        return await self._collection.group_sum(where, by="level", fields=["replicas", "iteration"])

    async def sums_completed(self, flow: str) -> dict[str, dict[str, int]]:
        """By job, of those that a flow completed: how many there are (`count`), and how many runs they completed before
        their last one (`iteration`)."""
        done = {"flow": {"$eq": flow}, "state": {"$eq": NodeState.COMPLETED}}
        return await self._collection.group_sum(done, by="job", fields=["iteration"])

    async def newest_rev(self) -> str:
        """The latest revision of any job, or empty."""
        stored = await self._collection.find({}, sort=[("rev", -1)], limit=1, projection=["rev"])
        return str(stored[0]["rev"]) if stored else ""

    async def changed_since(self, flow: str, rev: str, limit: int) -> list[FlowJob]:
        """A flow's jobs that changed after `rev`, the first change first."""
        stored = await self._collection.find(
            {"flow": {"$eq": flow}, "rev": {"$gt": rev}}, sort=[("rev", 1)], limit=limit
        )
        return [FlowJob.load(each) for each in stored]

    async def flows_changed_since(self, rev: str, limit: int) -> list[tuple[str, str]]:
        """The flow and the revision of each job that changed after `rev`, the first change first."""
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
