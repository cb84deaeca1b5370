import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from resolvers.errors import BadInput, LeaseLost
from resolvers.idempotency import Repeatable
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units.kinds import VariableKind
from resolvers.volunteers import claims, leases, reports, unleased_results
from resolvers.volunteers.claims import Claim, ClaimRequest, WhyNoWork
from sandbox import Sandbox
from storage import Store, TaskState
from tests.resolvers.playing import LEASE_S, Clock, Volunteer, leases_of, new_job, post, process

FIRST, SECOND, THIRD = Volunteer("first"), Volunteer("second"), Volunteer("third")


async def _ask(runtime: Runtime, host: str = "first", **wanted: object) -> Claim:
    return await claims.claim(runtime, ClaimRequest(host, **wanted))  # type: ignore[arg-type]


async def test_a_lease_says_whose_it_is_and_how_long_it_runs(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime, policy={"delay_bound_seconds": 30})
    await post(runtime, "double", [7])
    [claimed] = await FIRST.claim(runtime)
    assert (claimed.task.host, claimed.task.attempt, claimed.task.until) == ("first", 1, clock() + 30_000)
    assert (claimed.unit.value, claimed.job.key) == ("7", "double")


@pytest.mark.parametrize("first", [1, 2, 50])
async def test_no_host_gets_two_replicas_of_one_variable(runtime: Runtime, first: int) -> None:
    await new_job(runtime, policy={"quorum": 3})
    await post(runtime, "double", range(5))
    got: Counter[str] = Counter()
    while claimed := await FIRST.claim(runtime, first):
        got.update(each.unit.id for each in claimed)
    assert sorted(got.values()) == [1] * 5
    answer = await _ask(runtime)
    assert (answer.why_no_work, answer.retry_after_s) == (WhyNoWork.WAITING_FOR_OTHER_HOSTS, claims.SOON_RETRY_S)
    assert len(await SECOND.claim(runtime, 50)) == 5


async def test_a_host_that_asks_many_times_at_once_gets_no_variable_twice(
    store: Store, sandbox: Sandbox, clock: Clock
) -> None:
    processes = [await process(store.database, sandbox, clock, seed) for seed in range(2)]
    await new_job(processes[0], policy={"quorum": 3})
    await post(processes[0], "double", range(10))
    answers = await asyncio.gather(*(FIRST.claim(processes[n % 2], 1 + n % 4) for n in range(12)))
    got = Counter(each.unit.id for claimed in answers for each in claimed)
    assert set(got.values()) == {1}


def _repeatable(key: str) -> str:
    return Repeatable("claim first.its secret", key, lambda: None).mark


@pytest.mark.parametrize("first", [1, 3])
async def test_a_repeated_claim_gets_what_it_got_before_for_as_long_as_that_isheld(
    store: Store, sandbox: Sandbox, clock: Clock, first: int
) -> None:
    here, elsewhere = [await process(store.database, sandbox, clock, seed) for seed in range(2)]
    for name in ("double", "treble"):
        await new_job(here, name)
        await post(here, name, range(4))
    claimed = await FIRST.claim(here, first, lease=_repeatable("once"))
    again = await FIRST.claim(elsewhere, first, lease=_repeatable("once"), repeated=True)
    assert len(claimed) == first
    assert {each.task.id: each.unit.value for each in again} == {each.task.id: each.unit.value for each in claimed}
    other = await FIRST.claim(here, first, lease=_repeatable("another time"))
    assert len(other) == first
    assert not {each.task.id for each in other} & {each.task.id for each in claimed}
    await FIRST.submit(here, claimed[:1])
    left = await FIRST.claim(here, first, lease=_repeatable("once"), repeated=True)
    if first > 1:
        assert {each.task.id for each in left} == {each.task.id for each in claimed[1:]}
    else:
        assert left[0].task.id not in {each.task.id for each in claimed + other}


async def test_a_repeated_claim_of_many_jobs_gets_the_tasks_of_all(runtime: Runtime) -> None:
    for name in ("double", "treble"):
        await new_job(runtime, name)
        await post(runtime, name, range(2))
    claimed = await FIRST.claim(runtime, 4, lease=_repeatable("once"))
    again = await FIRST.claim(runtime, 4, lease=_repeatable("once"), repeated=True)
    assert (
        Counter(each.job.key for each in again)
        == Counter(each.job.key for each in claimed)
        == {"double": 2, "treble": 2}
    )


async def test_a_pool_without_work_says_so(runtime: Runtime) -> None:
    answer = await _ask(runtime)
    assert (answer.tasks, answer.why_no_work, answer.retry_after_s) == ([], WhyNoWork.NO_OPEN_WORK, claims.IDLE_RETRY_S)
    await new_job(runtime)
    await post(runtime, "double", [1])
    await FIRST.work(runtime)
    assert (await _ask(runtime)).why_no_work is WhyNoWork.NO_OPEN_WORK


async def test_work_of_other_jobs_and_owners_is_no_supported_work(runtime: Runtime) -> None:
    await new_job(runtime, metadata={"owner": "ann"})
    await post(runtime, "double", [1])
    for wanted in ({"jobs": frozenset({"other"})}, {"owners": frozenset({"bob"})}, {"scheduler": "owners"}):
        assert (await _ask(runtime, **wanted)).why_no_work is WhyNoWork.NO_SUPPORTED_WORK
    assert (await _ask(runtime, scheduler="owners", owners=frozenset({"ann"}))).tasks


async def test_a_process_that_stops_hands_out_nothing(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    runtime.draining = True
    assert (await _ask(runtime)).why_no_work is WhyNoWork.DRAINING


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_more_tasks_than_allowed_are_refused(runtime: Runtime, first: int) -> None:
    with pytest.raises(BadInput, match=f"first takes a whole number from 1 to 100, got {first}"):
        await _ask(runtime, first=first)


async def test_an_unknown_scheduler_is_refused_with_the_names_of_those_there_are(runtime: Runtime) -> None:
    with pytest.raises(BadInput, match="no job scheduler 'magic'; there are: oldest, owners, random, shortest"):
        await _ask(runtime, scheduler="magic")


async def test_a_queue_that_was_found_empty_is_not_searched_again_until_it_is_woken(
    runtime: Runtime, store: Store
) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    queue = VariableKind().queue_of("double")
    claimed = await FIRST.claim(runtime)
    assert not await SECOND.claim(runtime)
    closed = await store.queues.get(queue)
    assert closed is not None
    assert not closed.open
    await leases.release(runtime, leases_of(claimed))
    assert len(await SECOND.claim(runtime)) == 1


async def test_work_that_another_process_brings_is_seen_within_a_second(
    store: Store, sandbox: Sandbox, clock: Clock
) -> None:
    here, there = [await process(store.database, sandbox, clock, seed) for seed in range(2)]
    await new_job(there)
    assert not await FIRST.claim(here)
    await post(there, "double", [1])
    clock.advance(1)
    assert await FIRST.claim(here)


async def test_a_host_that_takes_a_variable_again_after_its_lease_ran_out_can_not_report_the_old_one(
    runtime: Runtime, clock: Clock, store: Store
) -> None:
    await new_job(runtime, policy={"quorum": 2})
    [variable] = await post(runtime, "double", [1])
    old = await FIRST.claim(runtime)
    clock.advance(LEASE_S + 1)
    await sweep(runtime)
    new = await FIRST.claim(runtime)
    assert [each.unit.id for each in new] == [variable.id]
    assert new[0].task.id != old[0].task.id
    assert isinstance((await FIRST.submit(runtime, old))[0].problem, LeaseLost)
    assert (await FIRST.submit(runtime, new))[0].result is not None
    assert await store.results.count({}) == 1


async def test_asking_for_more_does_not_void_leases_that_ran_out_elsewhere(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime, policy={"quorum": 2})
    await post(runtime, "double", range(8))
    late = await FIRST.claim(runtime, 8)
    clock.advance(LEASE_S + 1)
    await sweep(runtime)
    [taken] = await FIRST.claim(runtime)
    receipts = await FIRST.submit(runtime, late)
    lost = [each.task.id for each, receipt in zip(late, receipts, strict=True) if receipt.problem]
    assert lost == [each.task.id for each in late if each.unit.id == taken.unit.id]


async def test_tasks_that_nobody_needs_any_more_do_not_hide_those_behind_them(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    await new_job(runtime, policy={"max_total": 20})
    [stale, *_] = await post(runtime, "double", range(4))
    claimed = [each for each in await FIRST.claim(runtime, 4) if each.unit.id == stale.id]
    await unleased_results.submit(runtime, "double", stale.key, "legacy", value=0)
    await leases.release(runtime, leases_of(claimed))
    clock.advance(LEASE_S + 1)
    await sweep(runtime)
    got = [await SECOND.claim(runtime) for _ in range(3)]
    assert [len(each) for each in got] == [1, 1, 1]
    assert await store.tasks.count({"status": TaskState.CANCELLED}) <= 1


async def test_the_oldest_job_is_the_one_whose_work_waits_longest(runtime: Runtime, clock: Clock) -> None:
    for name in ("first", "second"):
        await new_job(runtime, name)
        await post(runtime, name, [1])
        clock.advance(10)
    assert [each.job.key for each in await FIRST.claim(runtime, 1, scheduler="oldest")] == ["first"]
    assert len(await FIRST.claim(runtime, 5, scheduler="oldest")) == 1
    await _ask(runtime)
    await post(runtime, "second", [2])
    clock.advance(10)
    await post(runtime, "first", [2])
    assert [each.job.key for each in await FIRST.claim(runtime, 1, scheduler="oldest")] == ["second"]


async def test_the_shortest_job_is_known_by_what_its_tasks_took(runtime: Runtime, clock: Clock) -> None:
    for name, elapsed_ms in (("slow", 5000), ("quick", 10)):
        await new_job(runtime, name)
        await post(runtime, name, range(3))
        [claimed] = await FIRST.claim(runtime, 1, jobs=frozenset({name}))
        await reports.submit(
            runtime, "first", [reports.Report(claimed.task.id, claimed.task.lease, 1, elapsed_ms=elapsed_ms)]
        )
    await sweep(runtime)
    clock.advance(6)
    assert await jobs.run_ms(runtime, "slow") == 5000
    assert [each.job.key for each in await FIRST.claim(runtime, 3, scheduler="shortest")] == ["quick", "quick", "slow"]


async def test_an_owners_scheduler_chooses_the_order_for_each_host(runtime: Runtime) -> None:
    await new_job(
        runtime,
        variable_scheduler="(context) => context.variables.map((v) => v.id).sort()[0]",
        policy={"quorum": 2},
    )
    for key in ("c", "a", "b"):
        await variables.create_many(runtime, "double", [variables.NewVariable(1, key)])
    for host in (FIRST, SECOND):
        assert [each.unit.key for each in await host.claim(runtime, 3)] == ["a", "b", "c"]  # type: ignore[attr-defined]
    assert not await FIRST.claim(runtime)


@pytest.mark.parametrize(
    ("scheduler", "problem"),
    [
        ("(context) => { throw new Error('no idea'); }", "no idea"),
        ("(context) => 'nobody'", 'answered "nobody", which is no id of'),
        ("(context) => 7", "answered 7"),
        ("(context) => {}", "variable_scheduler"),
    ],
)
async def test_a_scheduler_that_chooses_nothing_is_passed_over_and_the_job_says_why(
    runtime: Runtime, scheduler: str, problem: str
) -> None:
    await new_job(runtime, variable_scheduler=scheduler)
    await post(runtime, "double", range(3))
    assert len(await FIRST.claim(runtime, 2)) == 2
    assert problem in (await jobs.get(runtime, "double")).scheduler_problem


async def test_a_scheduler_that_works_again_is_no_problem_any_more(runtime: Runtime) -> None:
    await new_job(runtime, variable_scheduler="() => { throw 1 }")
    await post(runtime, "double", range(3))
    await FIRST.claim(runtime)
    await jobs.update(runtime, "double", variable_scheduler="(context) => context.variables[0].id")
    await FIRST.claim(runtime)
    assert (await jobs.get(runtime, "double")).scheduler_problem == ""


async def test_a_batch_begins_at_random_and_goes_around(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(60))
    starts = set()
    for _ in range(3):
        claimed = await FIRST.claim(runtime, 20)
        assert len({each.unit.id for each in claimed}) == 20
        starts.add(claimed[0].task.rand)
    assert len(starts) == 3
    assert not await FIRST.claim(runtime)


@pytest.mark.parametrize("wishes", [{"jobs": frozenset(map(str, range(101)))}, {"owners": frozenset({"\0"})}])
async def test_wishes_that_make_no_sense_are_refused(runtime: Runtime, wishes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as told:
        await claims.claim(runtime, replace(ClaimRequest("first"), **wishes))
    assert told.value.field in wishes
