"""Runs of archived jobs: nobody is asked to compute them any more, so they fail, as their flows are told."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.flows import engine
from resolvers.runtime import Runtime
from storage.jobs import Job
from storage.queues import Lane, LaneKind
from storage.tasks import Task, TaskState
from storage.units import UnitState

UNDER_WAY = frozenset({TaskState.LEASED, TaskState.REPORTING, TaskState.EXPIRING})


def reason(job_key: str) -> str:
    return f"the job {job_key!r} is archived and computes nothing more"


async def lanes(runtime: Runtime) -> list[Lane]:
    """The lanes of archived jobs in which tasks of flows may wait."""
    waiting = {Job.id_of(lane.job): lane for lane in await runtime.lanes.snapshot() if lane.kind == LaneKind.FLOW}
    return [waiting[job_id] for job_id in await runtime.store.jobs.archived(waiting)]


async def fail_runs(runtime: Runtime, ready: Sequence[Task]) -> None:
    """Fail the runs of these tasks, but those that a host still computes. Safe to repeat: the tasks stay READY until
    all that follows is stored."""
    runs = await runtime.store.runs.get_many(task.unit for task in ready)
    replicas = await runtime.store.tasks.get_many(
        Task.id_of(run.id, number) for run in runs.values() for number in range(run.total)
    )
    under_way = {task.unit for task in replicas.values() if task.status in UNDER_WAY}
    idle = [run for run in runs.values() if run.id not in under_way]
    for run in idle:
        if not run.finished_at:
            await runtime.store.runs.give_up(run.id, UnitState.FAILED, reason(run.job), runtime.now())
    await engine.advance(runtime, list((await runtime.store.runs.get_many(run.id for run in idle)).values()))
    await runtime.store.tasks.cancel_ready([task.id for task in ready if task.unit not in under_way])
