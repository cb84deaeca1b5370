"""How many storage operations work costs, counted over many cycles at the worst of times: every cache is stale."""

from collections import Counter

from resolvers.access.principals import EVERYBODY
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units.queues import USABLE_FOR_S
from resolvers.volunteers import blocks, claims, hosts, reports
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


async def test_blocks_cost_claims_and_reports_nothing(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(100))
    blocked, other = [await hosts.identify(runtime, None, group="192.0.2.0/24") for _ in range(2)]
    costs: list[Counter[str]] = []
    for _ in range(3):
        # What the first claim and the block add is not what is counted.
        await _ask(runtime, other)
        clock.advance(2 * USABLE_FOR_S)
        with runtime.store.database.count() as cost:
            await _ask(runtime, other)
        costs.append(cost)
        await blocks.block_host(runtime, EVERYBODY, blocked.key, blocks.NewBlock("It cheats."))
    assert costs[0] == costs[1] == costs[2]
    with runtime.store.database.count() as cost:
        await _ask(runtime, blocked)
        await reports.submit(runtime, blocked.key, [reports.Report("var:double:v:0", "lease", 1)])
    assert cost.total() == 0, cost


async def _ask(runtime: Runtime, host: hosts.HostIdentity) -> None:
    await claims.claim_as(runtime, host.token, "", claims.ClaimRequest(""), group="192.0.2.0/24")
