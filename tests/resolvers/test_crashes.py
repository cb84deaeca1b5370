"""A process may end between any two storage operations: nothing is lost by it, and nothing is stuck."""

import contextlib
from typing import Any

import pytest

from resolvers.owners import variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from sandbox import Sandbox
from storage import Store, TaskState, Verdict, open_store
from tests.resolvers import scenes
from tests.resolvers.playing import (
    LEASE_S,
    Books,
    Clock,
    Died,
    Volunteer,
    carry_on,
    mortal,
    new_job,
    post,
    process,
)


async def _finish_after_a_crash(
    store: Store,
    sandbox: Sandbox,
    scene: scenes.Scene,
    policy: dict[str, int],
    survived: int,
    monkeypatch: pytest.MonkeyPatch,
) -> bool:
    """Whether the step ended before the process did."""
    clock = Clock()
    first = await process(store.database, sandbox, clock, seed=survived)
    await new_job(first, policy={"max_total": 20, "max_errors": 10, **policy})
    step = await scene(first, clock)
    with mortal(monkeypatch) as ending:
        ending.operations = survived
        try:
            await step(first, clock)
            finished = True
        except Died:
            finished = False
    second = await process(store.database, sandbox, clock, seed=survived + 1)
    clock.advance(31)
    await sweep(second)
    # Of that there is no task that somebody carries on; the next claim finds it out.
    if scene is not scenes.sending_unasked:
        (await Books.read(store, "double")).check_no_task_is_ready_of_what_has_ended()
    await carry_on(second, clock, scenes.HELPERS, rounds=4)
    books = await Books.read(store, "double")
    if scene not in (scenes.posting, scenes.posting_to_a_closed_queue):
        assert len(books.variables) == len(scenes.VALUES)
    books.check_finished()
    for volunteer in [*scenes.HELPERS, Volunteer("first")]:
        host = await store.hosts.get(f"host:{volunteer.host}")
        assert host is None or host.valid <= len(scenes.VALUES)
    return finished


@pytest.mark.parametrize(
    ("scene", "policy"),
    [(scene, {"quorum": 1}) for scene in scenes.SCENES]
    + [(scene, {"quorum": 2}) for scene in scenes.SCENES + scenes.VOTING]
    + [(scene, {"quorum": 2, "target_results": 3}) for scene in scenes.VOTING],
    ids=lambda given: given.__name__ if callable(given) else str(given),
)
async def test_whatever_a_process_was_doing_when_it_ended_the_others_finish_the_work(
    sandbox: Sandbox, scene: scenes.Scene, policy: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    survived, finished = 0, False
    while not finished:
        async with open_store("mock") as store:
            finished = await _finish_after_a_crash(store, sandbox, scene, policy, survived, monkeypatch)
        survived += 1
        assert survived < 200
    assert survived > 1


async def test_variables_whose_posting_was_cut_short_are_completed_by_the_same_request(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for survived in range(9):
        async with open_store("mock") as store:
            clock = Clock()
            runtime = await process(store.database, sandbox, clock)
            await new_job(runtime)
            with mortal(monkeypatch) as ending:
                ending.operations = survived
                with contextlib.suppress(Died):
                    await post(runtime, "double", scenes.VALUES, idempotency_key="once")
            clock.advance(31)
            again = await post(
                await process(store.database, sandbox, clock), "double", scenes.VALUES, idempotency_key="once"
            )
            assert [variable.value for variable in again] == ["1", "2", "3"]
            assert await store.variables.count({}) == len(scenes.VALUES)
            await carry_on(runtime, clock, scenes.HELPERS, rounds=2)
            (await Books.read(store, "double")).check_finished()


async def test_a_host_may_repeat_a_report_whose_answer_it_never_got(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for survived in range(12):
        async with open_store("mock") as store:
            clock = Clock()
            runtime = await process(store.database, sandbox, clock)
            await new_job(runtime)
            await post(runtime, "double", [21])
            volunteer = Volunteer("first")
            claimed = await volunteer.claim(runtime)
            with mortal(monkeypatch) as ending:
                ending.operations = survived
                with contextlib.suppress(Died):
                    await volunteer.submit(runtime, claimed)
            [receipt] = await volunteer.submit(await process(store.database, sandbox, clock), claimed)
            assert receipt.result is not None
            assert receipt.result.verdict == Verdict.CANONICAL
            (await Books.read(store, "double")).check_finished()


@pytest.mark.parametrize("first", [1, 3])
async def test_a_host_may_repeat_a_claim_whose_answer_it_never_got(
    sandbox: Sandbox, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = Volunteer("first")
    for survived in range(12):
        async with open_store("mock") as store:
            clock = Clock()
            runtime = await process(store.database, sandbox, clock)
            await new_job(runtime, policy={"quorum": 2})
            await post(runtime, "double", scenes.VALUES)
            with mortal(monkeypatch) as ending:
                ending.operations = survived
                with contextlib.suppress(Died):
                    await volunteer.claim(runtime, first, lease="once")
            elsewhere = await process(store.database, sandbox, clock)
            claimed = await volunteer.claim(elsewhere, first, lease="once", repeated=True)
            leased = await store.tasks._collection.find({"status": {"$eq": TaskState.LEASED}}, limit=100)
            assert {each.task.id for each in claimed} == {each["_id"] for each in leased}
            assert len({each.unit.id for each in claimed}) == first
            others = await volunteer.claim(elsewhere, len(scenes.VALUES))
            assert len({each.unit.id for each in claimed + others}) == len(claimed + others) == len(scenes.VALUES)


async def test_clashing_variables_of_a_process_that_ended_leave_those_that_were_there_alone(
    runtime: Runtime, store: Store, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime)
    taken = variables.NewVariable(5, "taken")
    await variables.create_many(runtime, "double", [taken])
    with mortal(monkeypatch) as ending:
        ending.operations = 2  # The documents are stored, and those of the clash not yet withdrawn.
        with pytest.raises(Died):
            await variables.create_many(runtime, "double", [variables.NewVariable(6, "fresh"), taken])
    await carry_on(await process(store.database, sandbox, clock), clock, scenes.HELPERS, rounds=2)
    books = await Books.read(store, "double")
    books.check_finished()
    assert "5" in [variable.value for variable in books.variables]


async def test_a_result_stored_after_its_report_was_given_up_for_lost_counts_and_its_task_is_reported(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store("mock") as store:
        clock = Clock()
        slow = await process(store.database, sandbox, clock)
        other = await process(store.database, sandbox, clock)
        await new_job(slow)
        await post(slow, "double", [21])
        insert_many = slow.store.results.insert_many

        async def after_a_long_while(results: Any) -> Any:
            for _ in range(2):
                clock.advance(LEASE_S)
                await sweep(other)
            given_up = await store.tasks.get_many([claimed.task.id])
            assert given_up[claimed.task.id].status == TaskState.EXPIRED
            return await insert_many(results)

        monkeypatch.setattr(slow.store.results, "insert_many", after_a_long_while)
        volunteer = Volunteer("first")
        [claimed] = await volunteer.claim(slow)
        await volunteer.submit(slow, [claimed])
        assert not await Volunteer("second").claim(other)
        books = await Books.read(store, "double")
        books.check_finished()
        [variable] = books.variables
        assert variable.canonical == "0"
