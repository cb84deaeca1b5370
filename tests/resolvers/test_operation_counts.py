"""How many storage operations work costs, counted over many cycles at the worst of times: every cache is stale."""

from collections import Counter

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import hosts
from storage import Store
from tests.resolvers.playing import Clock, Volunteer, new_job, post

MOST_A_CYCLE = 12
SWEEP_S = 2


async def _volunteer(runtime: Runtime) -> Volunteer:
    return Volunteer((await hosts.identify(runtime, None)).key)


async def _cycle(runtime: Runtime, clock: Clock, volunteer: Volunteer, first: int) -> tuple[int, Counter[str]]:
    """Claim and submit, each after every cache is stale, as a server's sweeper leaves it; the operations taken."""
    database = runtime.store.database
    clock.advance(SWEEP_S)
    await sweep(runtime)
    clock.advance(SWEEP_S)
    with database.count() as claiming:
        claimed = await volunteer.claim(runtime, first)
    clock.advance(SWEEP_S)
    with database.count() as submitting:
        if claimed:
            await volunteer.submit(runtime, claimed)
    return len(claimed), claiming + submitting


async def test_one_task_costs_at_most_twelve_operations_at_the_worst_of_times(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(100))
    volunteer = await _volunteer(runtime)
    costs = [await _cycle(runtime, clock, volunteer, 1) for _ in range(100)]
    assert all(number == 1 for number, _ in costs)
    worst = max((cost for _, cost in costs), key=Counter.total)
    assert worst.total() <= MOST_A_CYCLE, worst


async def test_the_last_task_of_a_job_costs_no_more(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    volunteer = await _volunteer(runtime)
    for value in range(30):
        await post(runtime, "double", [value])
        number, cost = await _cycle(runtime, clock, volunteer, 1)
        assert number == 1
        assert cost.total() <= MOST_A_CYCLE, cost


async def test_fifty_tasks_cost_at_most_one_operation_each(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(500))
    volunteer = await _volunteer(runtime)
    for _ in range(10):
        number, cost = await _cycle(runtime, clock, volunteer, 50)
        assert number == 50
        assert cost.total() <= number, cost


async def test_fifty_tasks_at_quorum_two_cost_at_most_one_operation_each(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime, policy={"quorum": 2})
    await post(runtime, "double", range(200))
    volunteers = [await _volunteer(runtime) for _ in range(3)]
    done = 0
    while done < 400:
        for volunteer in volunteers:
            number, cost = await _cycle(runtime, clock, volunteer, 50)
            done += number
            if number == 50:
                assert cost.total() <= number, cost
    assert await runtime.store.variables.count({"state": "done"}) == 200


async def test_an_idle_poll_costs_next_to_nothing(runtime: Runtime, clock: Clock, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    volunteer = await _volunteer(runtime)
    await volunteer.work(runtime)
    await volunteer.claim(runtime)
    clock.advance(SWEEP_S)
    with store.database.count() as cost:
        assert not await volunteer.claim(runtime)
    assert cost.total() <= 2, cost
