"""What an operator says of jobs that wait for approval, and of accounts."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.access import accounts
from resolvers.errors import Conflict
from resolvers.identifiers import checked_cursor, checked_reason
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKinds
from resolvers.units.queues import OpenQueues
from storage import Account, Job, JobState, Review

JOBS_AT_ONCE = 300


async def approve_job(runtime: Runtime, key: str) -> Job:
    """Have a job's work be handed out. Repeating it changes nothing.

    Raises NotFound, and Conflict for a job that was rejected.
    """
    job = await jobs.get(runtime, key)
    if job.review == Review.REJECTED:
        raise Conflict(
            f"the job {job.key!r} was rejected, and is archived: its owner can delete it and submit it again",
            field="job",
        )
    await runtime.store.jobs.approve([job.id], runtime.now())
    await _wake(runtime, [job.key])
    return await jobs.get(runtime, key)


async def reject_job(runtime: Runtime, key: str, reason: str) -> Job:
    """Archive a job for a reason that its owner reads. What hosts compute of it is not wanted any more, and what flows
    wait for of it fails at the next sweep.

    Raises NotFound, and BadInput for a reason that is empty or too long.
    """
    said = {"review": Review.REJECTED, "review_reason": checked_reason(reason)}
    job = await jobs.get(runtime, key)
    await runtime.store.jobs.set(job.id, {**said, "state": JobState.ARCHIVED, "updated_at": runtime.now()})
    await _wake(runtime, [job.key])  # The sweeper looks at open queues for what flows wait for.
    return await jobs.get(runtime, key)


async def approve_account(runtime: Runtime, key: str) -> Account:
    """Approve of an account: of its jobs that wait, and of all that it submits from now on. Repeating it approves of
    what was submitted at the same moment.

    Raises NotFound.
    """
    account = await accounts.approve(runtime, key)
    while waiting := await runtime.store.jobs.waiting_of(account.key, JOBS_AT_ONCE):
        await runtime.store.jobs.approve([job.id for job in waiting], runtime.now())
        await _wake(runtime, [job.key for job in waiting])
    return account


async def to_approve(runtime: Runtime, *, first: int, after: str = "") -> Sequence[Job]:
    """Jobs that wait for approval, in the order of their submission."""
    return await runtime.store.jobs.page({"review": Review.PENDING}, first=first, after=checked_cursor(after))


async def _wake(runtime: Runtime, job_keys: Sequence[str]) -> None:
    """A claim has closed their queues, if they had any."""
    kinds = runtime.part(UnitKinds)
    await runtime.part(OpenQueues).wake(kind.queue_of(key) for key in job_keys for kind in kinds)
