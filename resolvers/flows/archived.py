"""Runs of archived jobs: nobody is asked to compute them any more, so they fail, and their flows say so."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from resolvers.flows import engine
from resolvers.flows.runs import job_is_deleted
from resolvers.runtime import Runtime
from resolvers.sweeping.isolation import each_by_itself
from resolvers.units.kinds import UnitKind
from resolvers.units.queues import OpenQueues
from storage import Job, Queue, Review, Task, TaskState, UnitState

UNDER_WAY = frozenset({TaskState.LEASED, TaskState.REPORTING, TaskState.EXPIRING})


def reason(job: Job) -> str:
    if job.review == Review.REJECTED:
        return f"the job {job.key!r} was rejected by the pool's operator: {job.review_reason}"
    return f"the job {job.key!r} is archived and computes nothing more"


async def sweep(runtime: Runtime, kind: UnitKind, limit: int) -> None:
    """Fail what flows wait for of archived jobs, in steps of `limit` tasks."""
    queues = await runtime.part(OpenQueues).snapshot()
    waiting = {Job.id_of(queue.job): queue for queue in queues if queue.kind == kind.queues}
    for job_id in await runtime.store.jobs.archived(waiting):
        await _sweep_queue(runtime, waiting[job_id], limit)


async def _sweep_queue(runtime: Runtime, queue: Queue, limit: int) -> None:
    found, start = False, 0.0
    while ready := await runtime.store.tasks.ready(queue.id, start=start, end=1.0, limit=limit):
        await each_by_itself(ready, functools.partial(fail_runs, runtime))
        found, start = True, math.nextafter(ready[-1].rand, 1.0)
    if not found:
        await runtime.part(OpenQueues).close(queue)


async def fail_runs(runtime: Runtime, ready: Sequence[Task]) -> None:
    """Fail the runs of these tasks, except those that a host still computes. Safe to repeat: the tasks stay READY until
    all that follows is stored."""
    runs = await runtime.store.runs.get_many(task.unit for task in ready)
    replicas = await runtime.store.tasks.get_many(
        Task.id_of(run.id, number) for run in runs.values() for number in range(run.total)
    )
    under_way = {task.unit for task in replicas.values() if task.status in UNDER_WAY}
    idle = [run for run in runs.values() if run.id not in under_way]
    for run in idle:
        if not run.finished_at:
            job = await runtime.store.jobs.by_key(run.job)
            why = reason(job) if job else job_is_deleted(run.job)
            await runtime.store.runs.give_up(run.id, UnitState.FAILED, why, runtime.now())
    await engine.advance(runtime, list((await runtime.store.runs.get_many(run.id for run in idle)).values()))
    await runtime.store.tasks.cancel_ready([task.id for task in ready if task.unit not in under_way])
