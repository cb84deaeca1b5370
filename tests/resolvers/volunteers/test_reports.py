import pytest

from resolvers.access.rules import sandbox_caller
from resolvers.errors import BadInput, LeaseLost, TooLarge
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import reports
from resolvers.volunteers.reports import Report
from storage import Result, Store, TaskState, UnitState, Verdict
from tests.resolvers.playing import LEASE_S, Clock, Volunteer, new_job, opened_for, post, process, sole_state

FIRST, SECOND, THIRD, CHEAT = Volunteer("first"), Volunteer("second"), Volunteer("third"), Volunteer("cheat", str)


async def _work(runtime: Runtime, volunteer: Volunteer) -> Result:
    [receipt] = await volunteer.submit(runtime, await volunteer.claim(runtime))
    assert receipt.result is not None, receipt.problem
    return receipt.result


async def _verdicts(store: Store) -> dict[str, str]:
    return {result.host: result.verdict for result in await store.results.page({}, first=100)}


async def test_one_valid_result_is_canonical_where_the_quorum_is_one(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", [21])
    result = await _work(runtime, FIRST)
    assert (result.verdict, result.value, result.elapsed_ms) == (Verdict.CANONICAL, "42", 20)
    assert await sole_state(store) == UnitState.DONE


async def test_repeating_a_report_changes_nothing_and_asks_no_validator(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, validate_result="(v, r) => ({valid: true, result: Math.random()})")
    await post(runtime, "double", [1])
    claimed = await FIRST.claim(runtime)
    [first] = await FIRST.submit(runtime, claimed)
    assert first.result is not None
    [again] = await reports.submit(
        runtime, "first", [Report(claimed[0].task.id, claimed[0].task.lease, "another value")]
    )
    assert again.result is not None
    assert (again.result.value, again.result.verdict) == (first.result.value, Verdict.CANONICAL)
    assert await store.results.count({}) == 1


@pytest.mark.parametrize("change", ["host", "token", "task"])
async def test_a_report_of_what_is_not_held_is_lost_and_leaves_the_others_alone(
    runtime: Runtime, store: Store, change: str
) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1, 2])
    mine = await FIRST.claim(runtime)
    other = await (SECOND if change == "host" else FIRST).claim(runtime)
    wrong = FIRST.report(other[0])
    if change == "token":
        wrong = Report(wrong.task, mine[0].task.lease, 1)
    elif change == "task":
        wrong = Report("var:double:nothing:0", wrong.token, 1)
    good, bad = await reports.submit(runtime, "first", [FIRST.report(mine[0]), wrong])
    assert good.result is not None
    assert isinstance(bad.problem, LeaseLost)
    assert bad.problem.field == "results[1].lease"
    assert await store.results.count({}) == 1


async def test_one_bad_value_is_named_and_the_others_are_taken(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1, 2, 3])
    claimed = [each.task for each in await FIRST.claim(runtime, 3)]
    given = [
        Report(claimed[0].id, claimed[0].lease, "x" * 1_000_000),
        Report(claimed[1].id, claimed[1].lease, 1, context=[]),
        Report(claimed[2].id, claimed[2].lease, 1, elapsed_ms=-1),
    ]
    first, second, third = await reports.submit(runtime, "first", given)
    assert isinstance(first.problem, TooLarge)
    assert first.problem.field == "results[0].value"
    assert isinstance(second.problem, BadInput)
    assert second.problem.field == "results[1].context"
    assert isinstance(third.problem, BadInput)
    assert third.problem.field == "results[2].elapsedMilliseconds"
    assert await store.tasks.count({"status": TaskState.LEASED}) == 3


@pytest.mark.parametrize(
    ("error", "stored"), [("", "Error: (no message)"), (" \n", "Error: (no message)"), ("no", "no")]
)
async def test_an_error_without_a_text_is_an_error(runtime: Runtime, store: Store, error: str, stored: str) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    [claimed] = await FIRST.claim(runtime)
    [receipt] = await reports.submit(runtime, "first", [Report(claimed.task.id, claimed.task.lease, error=error)])
    assert receipt.result is not None
    assert (receipt.result.verdict, receipt.result.error, receipt.result.value) == (Verdict.INVALID, stored, "")


async def test_the_second_report_of_one_task_in_one_request_is_refused(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1])
    [claimed] = await FIRST.claim(runtime)
    first, second = await reports.submit(runtime, "first", [FIRST.report(claimed), FIRST.report(claimed)])
    assert first.result is not None
    assert second.problem is not None
    assert (second.problem.message, second.problem.field) == ("the task of results[0] comes twice", "results[1].task")
    assert await store.results.count({}) == 1


async def test_a_late_report_is_taken_while_nobody_decided_and_too_late_after(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1, 2])
    late = await FIRST.claim(runtime, 2)
    clock.advance(LEASE_S + 1)
    await sweep(runtime)
    replaced = await SECOND.claim(runtime)
    await SECOND.submit(runtime, replaced)
    receipts = await FIRST.submit(runtime, late)
    verdicts = {each.unit.id: receipt.result for each, receipt in zip(late, receipts, strict=True)}
    for unit, result in verdicts.items():
        assert result is not None
        decided = unit == replaced[0].unit.id
        assert result.verdict == (Verdict.TOO_LATE if decided else Verdict.CANONICAL)
    assert await store.variables.count({"state": UnitState.DONE}) == 2
    assert not await THIRD.claim(runtime)


async def test_a_variable_is_given_up_after_too_many_errors_by_hosts_that_differ(
    runtime: Runtime, store: Store
) -> None:
    await new_job(runtime, policy={"max_errors": 2})
    await post(runtime, "double", [1])
    for volunteer in (FIRST, SECOND):
        [claimed] = await volunteer.claim(runtime)
        [receipt] = await reports.submit(
            runtime, volunteer.host, [Report(claimed.task.id, claimed.task.lease, error="boom")]
        )
        assert receipt.result is not None
        assert (receipt.result.verdict, receipt.result.reason) == (
            Verdict.INVALID,
            "the computation failed: boom",
        )
        assert not await volunteer.claim(runtime)
    [variable] = await store.variables.page({}, first=1)
    assert (variable.state, variable.reason) == (
        UnitState.FAILED,
        "its failed results reached the policy's max_errors, 2; the last one: the computation failed: boom",
    )
    assert not await THIRD.claim(runtime)


async def test_a_variable_is_given_up_when_no_more_tasks_are_allowed(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 2, "max_total": 3})
    await post(runtime, "double", [1])
    for number in range(3):
        await _work(runtime, Volunteer(f"host{number}", lambda value, number=number: number))  # type: ignore[misc]
    assert await sole_state(store) == UnitState.FAILED
    assert set((await _verdicts(store)).values()) == {Verdict.INCONCLUSIVE}
    [reason] = {result.reason for result in await store.results.page({}, first=9)}
    assert reason == "a quorum of 2 is out of reach: the policy's max_total is 3"


async def test_a_cheat_is_outvoted(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 2})
    await post(runtime, "double", [1])
    assert (await _work(runtime, CHEAT)).verdict == Verdict.PENDING
    assert (await _work(runtime, FIRST)).verdict == Verdict.INCONCLUSIVE
    assert (await _work(runtime, SECOND)).verdict == Verdict.VALID
    assert await _verdicts(store) == {
        "cheat": Verdict.INVALID,
        "first": Verdict.CANONICAL,
        "second": Verdict.VALID,
    }


async def test_a_validator_may_turn_down_and_post_process(runtime: Runtime, store: Store) -> None:
    await new_job(
        runtime,
        validate_result="(v, r, c) => c.phase === 'variable' || r === v * 2 && {valid: true, result: [r], reason: 'y'}",
    )
    await post(runtime, "double", [1])
    turned_down = await _work(runtime, CHEAT)
    assert turned_down.verdict == Verdict.INVALID
    taken = await _work(runtime, FIRST)
    assert (taken.verdict, taken.value, taken.reason) == (Verdict.CANONICAL, "[2]", "y")


@pytest.mark.parametrize("compare", ["() => { throw ''; }", "() => NaN", "() => 0n", "() => {}", "() => Symbol()"])
async def test_results_agree_only_where_the_owner_says_so(runtime: Runtime, store: Store, compare: str) -> None:
    await new_job(runtime, policy={"quorum": 2, "max_total": 2}, compare_results=compare)
    await post(runtime, "double", [1])
    await _work(runtime, FIRST)
    await _work(runtime, SECOND)
    assert Verdict.CANONICAL not in (await _verdicts(store)).values()


async def test_the_owner_may_say_which_results_agree(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 2}, compare_results="(a, b) => Math.abs(a - b) < 0.01")
    await post(runtime, "double", [1])
    await _work(runtime, Volunteer("first", lambda value: value * 2 + 0.001))
    await _work(runtime, Volunteer("cheat", lambda value: 3))
    await _work(runtime, SECOND)
    assert await _verdicts(store) == {
        "first": Verdict.CANONICAL,
        "cheat": Verdict.INVALID,
        "second": Verdict.VALID,
    }


async def test_a_validator_that_is_away_is_asked_again_by_the_sweeper(
    runtime: Runtime, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime, validate_result="(v, r, c) => c.phase === 'variable' || r === v * 2")
    await post(runtime, "double", [1])
    claimed = await FIRST.claim(runtime)
    monkeypatch.setattr(runtime.sandbox, "_breaker", opened_for(sandbox_caller("", "double"), clock))
    [receipt] = await FIRST.submit(runtime, claimed)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.PENDING
    assert await sole_state(store) == UnitState.OPEN
    clock.advance(LEASE_S)
    await sweep(runtime)
    assert await store.tasks.count({"status": TaskState.REPORTING}) == 1
    clock.advance(LEASE_S)
    await sweep(runtime)
    assert await _verdicts(store) == {"first": Verdict.CANONICAL}
    assert await sole_state(store) == UnitState.DONE


async def test_results_that_cannot_be_compared_now_are_taken_and_compared_later(
    runtime: Runtime, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime, policy={"quorum": 2}, compare_results="(a, b) => Math.abs(a - b) < 0.01")
    await post(runtime, "double", [1])
    await new_job(runtime, "another", policy={"quorum": 2})
    await post(runtime, "another", [1])
    for volunteer in (FIRST, SECOND):
        claimed = await volunteer.claim(runtime, first=2)
        monkeypatch.setattr(runtime.sandbox, "_breaker", opened_for(sandbox_caller("", "double"), clock))
        receipts = await volunteer.submit(runtime, claimed)
        assert all(receipt.result for receipt in receipts)
    verdicts = {(each.job, each.host): each.verdict for each in await store.results.page({}, first=100)}
    assert verdicts == {
        ("double", "first"): Verdict.PENDING,
        ("double", "second"): Verdict.PENDING,
        ("another", "first"): Verdict.CANONICAL,
        ("another", "second"): Verdict.VALID,
    }
    await _sweep_twice(runtime, clock)
    verdicts = {(each.job, each.host): each.verdict for each in await store.results.page({}, first=100)}
    assert sorted(verdicts.values()) == [Verdict.CANONICAL, Verdict.CANONICAL, Verdict.VALID, Verdict.VALID]
    assert await store.tasks.count({"status": TaskState.REPORTING}) == 0


async def test_a_lease_that_runs_out_while_results_cannot_be_compared_holds_no_other_up(
    runtime: Runtime, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime, policy={"quorum": 3, "max_total": 3}, compare_results="(a, b) => a === b")
    await post(runtime, "double", [1])
    await new_job(runtime, "another")
    await post(runtime, "another", [1])
    assert len(await THIRD.claim(runtime, first=2)) == 2
    for volunteer in (FIRST, SECOND):
        await _work(runtime, volunteer)
    clock.advance(LEASE_S + 1)
    monkeypatch.setattr(runtime.sandbox, "_breaker", opened_for(sandbox_caller("", "double"), clock))
    another = await process(store.database, runtime.sandbox, clock)  # It has not compared the results yet.
    assert (await sweep(another)).expired == 1
    await another.close()
    assert await store.tasks.count({"status": TaskState.EXPIRING}) == 1
    await _sweep_twice(runtime, clock)
    assert await store.tasks.count({"status": TaskState.EXPIRING}) == 0


async def _sweep_twice(runtime: Runtime, clock: Clock) -> None:
    for _ in range(2):
        clock.advance(LEASE_S)
        await sweep(runtime)
