from resolvers.errors import LeaseLost
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import leases
from resolvers.volunteers.leases import HeldTask
from storage import Store, TaskState, Verdict
from tests.resolvers.playing import LEASE_S, Clock, Volunteer, leases_of, new_job, post

FIRST, SECOND = Volunteer("first"), Volunteer("second")


async def test_a_released_task_costs_nothing_and_may_go_to_the_same_host_again(runtime: Runtime) -> None:
    await new_job(runtime, policy={"quorum": 2})
    await post(runtime, "double", [1])
    claimed = await FIRST.claim(runtime)
    assert (await leases.release(runtime, leases_of(claimed))).count == 1
    assert (await leases.release(runtime, leases_of(claimed))).count == 0
    [again] = await FIRST.claim(runtime)
    [receipt] = await FIRST.submit(runtime, claimed) if again.task.id != claimed[0].task.id else [None]
    assert receipt is None or isinstance(receipt.problem, LeaseLost)
    assert (await FIRST.submit(runtime, [again]))[0].result is not None
    assert not await FIRST.claim(runtime)


async def test_a_heartbeat_has_leases_run_on_and_says_which_are_lost(
    runtime: Runtime, clock: Clock, store: Store
) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(3))
    claimed = await FIRST.claim(runtime, 3)
    await leases.release(runtime, leases_of(claimed)[1:2])
    clock.advance(LEASE_S - 1)
    first, second, third = await leases.extend(runtime, leases_of(claimed))
    assert first.task is not None
    assert first.task.until == clock() + LEASE_S * 1000
    assert third.task is not None
    assert isinstance(second.problem, LeaseLost)
    assert second.problem.field == "tasks[1]"
    clock.advance(2)
    await sweep(runtime)
    assert await store.tasks.count({"status": TaskState.LEASED}) == 2


async def test_a_host_learns_that_others_decided_what_it_computes(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 1, "target_results": 2})
    await post(runtime, "double", [1])
    mine, other = await FIRST.claim(runtime), await SECOND.claim(runtime)
    await SECOND.submit(runtime, other)
    [extension] = await leases.extend(runtime, leases_of(mine))
    assert isinstance(extension.problem, LeaseLost)
    assert extension.problem.message.endswith("any more, stop computing it: other results decided it")
    [receipt] = await FIRST.submit(runtime, mine)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE


async def test_a_job_that_is_archived_still_wants_what_was_handed_out(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    claimed = await FIRST.claim(runtime)
    await jobs.archive(runtime, "double")
    [extension] = await leases.extend(runtime, leases_of(claimed))
    assert extension.task is not None
    [receipt] = await FIRST.submit(runtime, claimed)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.CANONICAL


MALFORMED = [HeldTask("", "token"), HeldTask("var:double:x", "token"), HeldTask("var:double:x:0", "no token")]


async def test_a_member_that_can_not_be_a_lease_leaves_the_others_alone(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    held = [*MALFORMED, *leases_of(await FIRST.claim(runtime))]
    *refused, extended = await leases.extend(runtime, held)
    assert extended.task is not None
    fields = ["tasks[0].task", "tasks[1].task", "tasks[2].lease"]
    assert [each.problem.field for each in refused if each.problem] == fields
    released = await leases.release(runtime, held)
    assert released.count == 1
    assert [each.field for each in released.problems] == fields


async def test_fifty_leases_are_extended_in_a_few_operations(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(50))
    claimed = await FIRST.claim(runtime, 50)
    with store.database.count() as cost:
        extended = await leases.extend(runtime, leases_of(claimed))
    assert all(each.task for each in extended)
    assert cost.total() <= 4, cost
