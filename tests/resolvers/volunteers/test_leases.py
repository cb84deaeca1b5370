from resolvers.errors import LeaseLost
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import leases
from storage import Store, TaskState
from tests.resolvers.playing import LEASE_S, Clock, Volunteer, leases_of, new_job, post

FIRST, SECOND = Volunteer("first"), Volunteer("second")


async def test_a_released_task_costs_nothing_and_may_go_to_the_same_host_again(runtime: Runtime) -> None:
    await new_job(runtime, policy={"quorum": 2})
    await post(runtime, "double", [1])
    claimed = await FIRST.claim(runtime)
    assert await leases.release(runtime, leases_of(claimed)) == 1
    assert await leases.release(runtime, leases_of(claimed)) == 0
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


async def test_fifty_leases_are_extended_in_a_few_operations(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(50))
    claimed = await FIRST.claim(runtime, 50)
    with store.database.count() as cost:
        extended = await leases.extend(runtime, leases_of(claimed))
    assert all(each.task for each in extended)
    assert cost.total() <= 3, cost
