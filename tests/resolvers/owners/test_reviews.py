"""Approving a job while other processes still know it as one that waits."""

from resolvers.owners import reviews
from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage import Review
from tests.resolvers.playing import Clock, Volunteer, new_job, post, process


async def test_a_process_that_has_not_heard_of_it_does_not_close_the_queue_again(
    runtime: Runtime, sandbox: Sandbox, clock: Clock
) -> None:
    job = await new_job(runtime)
    await runtime.store.jobs.set(job.id, {"review": Review.PENDING})
    await post(runtime, "double", [1])
    other = await process(runtime.store.database, sandbox, clock)
    # It keeps the job for a second, and its clock stands still; it has not read the queues yet.
    assert (known := await other.store.jobs.get(job.id))
    assert known.review == Review.PENDING
    await reviews.approve_job(runtime, "double")
    assert await Volunteer("first").claim(other)
    await other.close()


async def test_a_queue_that_a_claim_closes_is_opened_by_the_approval(runtime: Runtime, clock: Clock) -> None:
    job = await new_job(runtime)
    await runtime.store.jobs.set(job.id, {"review": Review.PENDING})
    await post(runtime, "double", [1])
    volunteer = Volunteer("first")
    assert not await volunteer.claim(runtime)
    clock.advance(10)
    with runtime.store.database.count() as cost:
        assert not await volunteer.claim(runtime)
    assert cost.total() <= 2, cost
    await reviews.approve_job(runtime, "double")
    assert await volunteer.claim(runtime)
