"""The job that a client is offered when it names none."""

from __future__ import annotations

from collections.abc import Collection

from resolvers.access.review import hands_out
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.units.kinds import VariableKind
from resolvers.units.queues import OpenQueues
from resolvers.volunteers.claims import ClaimRequest, offer
from storage import Job, Queue

MOST_IDLE_JOBS = 100


async def pick_job(runtime: Runtime, *, scheduler: str = "", owners: Collection[str] = ()) -> Job | None:
    """The first job in the scheduler's order that has work; where none has, any that is active and approved; None
    without such jobs.

    Raises BadInput for a scheduler that is not there.
    """
    request = ClaimRequest(host="", scheduler=scheduler, owners=frozenset(owners))
    for queue in offer(runtime, await runtime.part(OpenQueues).snapshot(), request):
        job = await runtime.store.jobs.by_key(queue.job)
        if job is not None and hands_out(job):
            return job
    idle = {job.key: job for job in await jobs.page(runtime, first=MOST_IDLE_JOBS) if hands_out(job)}
    queues = [
        Queue(id=job.id, job=job.key, kind=VariableKind.queues, owner=job.owner, oldest_at=job.created_at)
        for job in idle.values()
    ]
    return next((idle[queue.job] for queue in offer(runtime, queues, request)), None)
