"""Deleting jobs and their variables: they are gone at once, and removed in steps."""

from __future__ import annotations

import pytest

from resolvers.deleting import jobs as deleting
from resolvers.deleting import variables as deleting_variables
from resolvers.errors import InProgress, LeaseLost, NotFound
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units import results, tasks
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import leases, unleased_results
from sandbox import Sandbox
from storage import Store, TaskState
from tests.resolvers.deleting.ledger import counted, removed
from tests.resolvers.playing import Clock, Volunteer, leases_of, new_job, post, process


async def test_a_deleted_job_is_in_no_list_and_found_under_no_id(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    kept = await new_job(runtime, "kept")
    [variable] = await post(runtime, "double", [1])
    result = await unleased_results.submit(runtime, "double", variable.key, "host", value=2)
    await deleting.delete(runtime, "double")
    assert await jobs.page(runtime, first=10) == [kept]
    for reading in (
        jobs.get(runtime, "double"),
        variables.get(runtime, "double", variable.key),
        results.by_id(runtime, result.id),
        tasks.by_id(runtime, f"{variable.id}:0"),
        post(runtime, "double", [2]),
        deleting.delete(runtime, "double"),
        unleased_results.submit(runtime, "double", variable.key, "host", value=2),
    ):
        with pytest.raises(NotFound):
            await reading


async def test_the_tasks_of_a_deleted_job_are_not_claimed_and_its_leases_are_lost(
    runtime: Runtime, store: Store
) -> None:
    await new_job(runtime)
    await new_job(runtime, "kept")
    await post(runtime, "double", range(3))
    await post(runtime, "kept", range(2))
    volunteer = Volunteer("ann")
    gone = await volunteer.claim(runtime, jobs=frozenset({"double"}))
    kept = await volunteer.claim(runtime, jobs=frozenset({"kept"}))
    await deleting.delete(runtime, "double")
    assert [each.job.key for each in await Volunteer("bob").claim(runtime, 10)] == ["kept"]
    lost, held = await leases.extend(runtime, leases_of([*gone, *kept]))
    assert isinstance(lost.problem, LeaseLost)
    assert held.task is not None
    # The others of the same batch are taken.
    refused, taken = await volunteer.submit(runtime, [*gone, *kept])
    assert isinstance(refused.problem, LeaseLost)
    assert taken.result is not None


async def test_all_that_hangs_on_a_job_is_removed_and_nothing_else(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    await new_job(runtime, "kept", idempotency_key="kept")
    await post(runtime, "kept", range(3), idempotency_key="kept")
    await Volunteer("ann").work(runtime, 3)
    before = await counted(store)
    await new_job(runtime, idempotency_key="once")
    [variable, *_] = await post(runtime, "double", range(5), idempotency_key="once")
    await Volunteer("ann").work(runtime, 2)
    given_back = await Volunteer("bob").claim(runtime, 2)
    await leases.release(runtime, leases_of(given_back))
    await Volunteer("cid").claim(runtime)
    await unleased_results.submit(runtime, "double", variable.key, "dan", value=0, idempotency_key="once")
    await deleting.delete(runtime, "double")
    await removed(runtime, clock)
    assert await counted(store) == before
    assert await runtime.part(OpenQueues).snapshot(0) == []


async def test_a_jobs_key_is_free_again_once_it_is_removed(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime, idempotency_key="once")
    await post(runtime, "double", [1])
    await deleting.delete(runtime, "double")
    with pytest.raises(InProgress, match="the job 'double' was deleted, and is still being removed"):
        await new_job(runtime)
    await removed(runtime, clock)
    await new_job(runtime, idempotency_key="once")
    assert await variables.page(runtime, "double", first=10) == []
    [variable] = await post(runtime, "double", [4])
    assert await Volunteer("ann").work(runtime) == 1
    assert (await variables.get(runtime, "double", variable.key)).canonical == "0"


async def test_other_processes_know_within_a_second(runtime: Runtime, sandbox: Sandbox, clock: Clock) -> None:
    other = await process(runtime.store.database, sandbox, clock)
    await new_job(runtime)
    await post(runtime, "double", [1])
    assert await jobs.get(other, "double")
    await deleting.delete(runtime, "double")
    clock.advance(1)
    assert not await Volunteer("ann").claim(other)
    with pytest.raises(NotFound):
        await jobs.get(other, "double")


async def test_a_report_whose_job_was_deleted_before_its_consequences_were_drawn_holds_no_sweep_up(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime)
    await new_job(runtime, "kept")
    await post(runtime, "double", [1])
    claimed = await Volunteer("ann").claim(runtime)
    task = claimed[0].task
    until = clock() + 1
    await runtime.store.tasks.begin_report([task.id], task.lease, "ann", until=until)
    await deleting.delete(runtime, "double")
    await post(runtime, "kept", [3])
    clock.advance(5)
    await sweep(runtime)
    assert [each.job.key for each in await Volunteer("bob").claim(runtime)] == ["kept"]


async def test_deleted_variables_are_gone_and_the_others_stay(runtime: Runtime, store: Store, clock: Clock) -> None:
    await new_job(runtime)
    made = await post(runtime, "double", range(4))
    held = await Volunteer("ann").claim(runtime, 4)
    going = [made[0].key, made[1].key]
    deleted, problems = await deleting_variables.delete(runtime, "double", [*going, "nothing", "no/thing"])
    assert deleted == going
    assert [problem.field for problem in problems] == ["variables[2]", "variables[3]"]
    assert {each.key for each in await variables.page(runtime, "double", first=10)} == {made[2].key, made[3].key}
    assert await variables.counts(runtime, "double") | {"deleted": 0} == {"open": 2, "deleted": 0}
    receipts = await Volunteer("ann").submit(runtime, held)
    assert sum(isinstance(each.problem, LeaseLost) for each in receipts) == 2
    assert sum(each.result is not None for each in receipts) == 2
    await removed(runtime, clock)
    assert await counted(store) == {"jobs": 1, "variables": 2, "tasks": 2, "results": 2, "assignments": 2, "lanes": 1}


async def test_ready_tasks_of_a_deleted_variable_are_passed_over(runtime: Runtime) -> None:
    await new_job(runtime)
    made = await post(runtime, "double", range(10))
    await deleting_variables.delete(runtime, "double", [each.key for each in made[:-1]])
    assert [each.unit.id for each in await Volunteer("ann").claim(runtime, 10)] == [made[-1].id]
    assert await runtime.store.tasks.count({"status": str(TaskState.READY)}) == 0


async def test_the_id_of_a_deleted_variable_is_free_again_once_it_is_removed(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    new = [variables.NewVariable(1, "mine"), variables.NewVariable(2, "other")]
    await variables.create_many(runtime, "double", new[:1])
    await deleting_variables.delete(runtime, "double", ["mine"])
    with pytest.raises(InProgress) as refused:
        await variables.create_many(runtime, "double", new)
    assert refused.value.field == "variables[0].id"
    assert await variables.page(runtime, "double", first=10) == []
    await removed(runtime, clock)
    assert len(await variables.create_many(runtime, "double", new)) == 2
