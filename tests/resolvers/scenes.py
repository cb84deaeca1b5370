"""What processes are in the middle of when they end: a scene prepares a pool, and returns the step to cut short."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from unittest.mock import patch

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import leases, reports, unleased_results
from tests.resolvers.playing import Clock, Died, Volunteer, leases_of, post

HELPERS = [Volunteer(f"helper{number}") for number in range(5)]
VALUES = [1, 2, 3]

Step = Callable[[Runtime, Clock], Awaitable[object]]
Scene = Callable[[Runtime, Clock], Awaitable[Step]]


async def posting(runtime: Runtime, clock: Clock) -> Step:
    return lambda runtime, _: post(runtime, "double", VALUES, idempotency_key="once")


async def posting_to_a_closed_queue(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES[:1])
    for helper in HELPERS[:2]:
        await helper.work(runtime)
    # Nothing is ready, and the queue closes over it.
    assert await HELPERS[2].claim(runtime) == []
    return lambda runtime, _: post(runtime, "double", VALUES[1:], idempotency_key="once")


async def claiming_one(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    return lambda runtime, _: Volunteer("first").claim(runtime)


async def claiming_many(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    return lambda runtime, _: Volunteer("first").claim(runtime, 3)


async def submitting(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    claimed = await Volunteer("first").claim(runtime, 2)
    return lambda runtime, _: Volunteer("first").submit(runtime, claimed)


async def submitting_the_second_vote(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    await Volunteer("zeroth").work(runtime, 3)
    return await submitting_to(runtime, Volunteer("first"))


async def submitting_a_dissenting_vote(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    await Volunteer("zeroth").work(runtime, 3)
    return await submitting_to(runtime, Volunteer("cheat", lambda value: -value))


async def submitting_an_error(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    claimed = await Volunteer("first").claim(runtime, 2)
    failed = [reports.Report(each.task.id, each.task.lease, error="it threw") for each in claimed]
    return lambda runtime, _: reports.submit(runtime, "first", failed)


async def submitting_late(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    claimed = await Volunteer("first").claim(runtime, 2)
    clock.advance(601)
    await sweep(runtime)
    return lambda runtime, _: Volunteer("first").submit(runtime, claimed)


async def releasing(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    claimed = await Volunteer("first").claim(runtime, 3)
    # Nothing is ready, and the queue closes over it.
    await Volunteer("second").claim(runtime)
    return lambda runtime, _: leases.release(runtime, leases_of(claimed))


async def taking_an_expired_task_again(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    await Volunteer("first").claim(runtime, 3)
    clock.advance(601)
    await sweep(runtime)
    return lambda runtime, _: Volunteer("first").work(runtime, 3)


async def sweeping_expired_leases(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    await Volunteer("first").claim(runtime, 3)
    await Volunteer("second").claim(runtime, 3)
    await Volunteer("third").claim(runtime)
    clock.advance(601)
    return lambda runtime, _: sweep(runtime)


async def sweeping_a_report_whose_process_ended_before_it_said_what_it_added(runtime: Runtime, clock: Clock) -> Step:
    await post(runtime, "double", VALUES)
    claimed = await Volunteer("first").claim(runtime, 3)
    await Volunteer("second").claim(runtime, 3)
    # Nothing is ready, and the queue closes over it.
    assert await Volunteer("third").claim(runtime) == []
    failed = [reports.Report(each.task.id, each.task.lease, error="it threw") for each in claimed]
    with patch.object(OpenQueues, "wake", side_effect=Died), suppress(Died):
        await reports.submit(runtime, "first", failed)
    clock.advance(31)
    return lambda runtime, _: sweep(runtime)


async def sending_unasked(runtime: Runtime, clock: Clock) -> Step:
    [variable, *_] = await post(runtime, "double", VALUES)
    return lambda runtime, _: unleased_results.submit(runtime, "double", variable.key, "legacy", value=2)


async def submitting_to(runtime: Runtime, volunteer: Volunteer) -> Step:
    claimed = await volunteer.claim(runtime, 2)
    return lambda runtime, _: volunteer.submit(runtime, claimed)


SCENES: list[Scene] = [
    posting,
    posting_to_a_closed_queue,
    claiming_one,
    claiming_many,
    submitting,
    submitting_an_error,
    submitting_late,
    releasing,
    taking_an_expired_task_again,
    sweeping_expired_leases,
    sweeping_a_report_whose_process_ended_before_it_said_what_it_added,
    sending_unasked,
]
VOTING: list[Scene] = [submitting_the_second_vote, submitting_a_dissenting_vote]
