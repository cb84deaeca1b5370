"""Deleting jobs, with their variables and all that was computed for these."""

from __future__ import annotations

from resolvers.deleting.steps import MOST_ROOTS, remove_at, remove_each
from resolvers.deleting.units import few, remove_contents
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKinds
from storage import Job, JobState
from storage.deletable import is_removable


async def delete(runtime: Runtime, key: str) -> Job:
    """Delete a job; the job as it was. What flows wait for of it fails; what they have of it stays with them.

    Raises NotFound.
    """
    job = await jobs.get(runtime, key)
    await runtime.store.jobs.delete([job.id], remove_at=remove_at(runtime), state=JobState.ARCHIVED)
    return job


async def remove(runtime: Runtime, limit: int) -> int:
    """One step of ending what outlives deleted jobs, and of removing these; how many documents it was."""
    gone = await runtime.store.jobs.gone(MOST_ROOTS)
    ended = sum([await _end_work(runtime, job, limit) for job in gone])
    removable = [job for job in gone if is_removable(job.seq, runtime.now())]
    return ended + await remove_each(runtime, removable, _remove_some, limit)


async def _end_work(runtime: Runtime, job: Job, limit: int) -> int:
    return sum([await kind.job_deleted(runtime, job.key, limit) for kind in runtime.part(UnitKinds)])


async def _remove_some(runtime: Runtime, job: Job, limit: int) -> int:
    if ended := await _end_work(runtime, job, limit):
        return ended
    store = runtime.store
    if units := few(await store.variables.with_tasks("job", job.key, limit), limit):
        removed = await remove_contents(runtime, units, limit)
        return removed + await store.variables.remove_all(list(units))
    removed = await store.assignments.remove_some("within", job.id, limit)
    removed = removed or await store.requests.remove_some("about", job.id, limit)
    if not removed:
        await store.queues.remove_all([kind.queue_of(job.key) for kind in runtime.part(UnitKinds)])
        removed = await store.jobs.remove([job.id])
    return removed
