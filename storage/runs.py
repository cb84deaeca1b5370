from __future__ import annotations

from dataclasses import dataclass

from storage.engines import Index
from storage.flow_jobs import FlowJob
from storage.flows import Flow
from storage.units import Unit, Units, UnitState


@dataclass(slots=True, kw_only=True)
class Run(Unit):
    """One execution of a flow's job: the next one of a `while`, or after a retry, is another run."""

    level: str
    flow_job: str
    variable: str
    """Key of the variable whose value it computes; empty where the job has none."""
    bare: str
    """The same where the context is empty, so that a client which knows of variables only can compute it."""
    iteration: int
    generation: int

    @staticmethod
    def id_of(flow_job: FlowJob) -> str:
        _, flow, number = flow_job.id.split(":")
        return f"run:{flow}:{number}:{flow_job.generation}.{flow_job.iteration}"


class Runs(Units[Run]):
    collection_name = "runs"
    kind = Run
    indexes = (
        Index(("flow_job", "seq")),
        Index(("flow", "finished_at")),
        Index(("state", "due")),
        Index(("job", "state", "bare")),
    )

    async def bare(self, job: str, *, variable: str = "", limit: int = 1) -> list[Run]:
        """OPEN runs of a job with an empty context, of one variable or of any."""
        named = {"$eq": variable} if variable else {"$gt": ""}
        stored = await self._collection.find(
            {"job": {"$eq": job}, "state": {"$eq": UnitState.OPEN}, "bare": named}, sort=[("bare", 1)], limit=limit
        )
        return [Run.load(each) for each in stored]

    async def finished_since(self, when: int, *, flow: str, level: str = "") -> int:
        """How many runs of a flow (of one of its levels) ended at or after `when` (ms since the epoch), except
        cancelled runs."""
        # DONE and FAILED: the states after CANCELLED, of which others have not ended.
        ended = {"state": {"$gt": UnitState.CANCELLED}, "finished_at": {"$gte": when}}
        within = {"level": {"$eq": level}} if level else {}
        return await self._collection.count({"flow": {"$eq": flow}, **within, **ended})

    async def unended(self, job: str, limit: int) -> list[Run]:
        """A job's runs that have not ended."""
        found: list[Run] = []
        for state in (UnitState.NEW, UnitState.OPEN):
            where = {"job": {"$eq": job}, "state": {"$eq": state}, "finished_at": {"$eq": 0}}
            found += [Run.load(each) for each in await self._collection.find(where, limit=limit - len(found))]
        return found

    async def cancel_flow(self, flow: Flow, reason: str, now: int) -> None:
        """To CANCELLED for all runs of a flow that have not ended, unless it was retried since it was read."""
        await self._collection.update_many(
            {"flow": {"$eq": flow.id}, "finished_at": {"$eq": 0}, "generation": {"$lte": flow.generation}},
            {"$set": {"state": UnitState.CANCELLED, "reason": reason, "finished_at": now}},
        )
