import pytest

from resolvers.errors import Conflict, Rejected
from resolvers.runtime import Runtime
from resolvers.volunteers import unleased_results
from storage import Store, TaskState, UnitState, Verdict
from tests.resolvers.playing import Volunteer, new_job, post, sole_state

FIRST = Volunteer("first")


async def test_a_result_sent_unasked_decides_and_leaves_leases_alone(runtime: Runtime, store: Store) -> None:
    await new_job(runtime)
    [variable] = await post(runtime, "double", [1])
    leased = await FIRST.claim(runtime)
    result = await unleased_results.submit(runtime, "double", variable.key, "legacy", value=2)
    assert (result.verdict, result.number, result.unsolicited) == (Verdict.CANONICAL, "u0", True)
    assert (await store.tasks.get(leased[0].task.id)).status == TaskState.LEASED  # type: ignore[union-attr]
    [receipt] = await FIRST.submit(runtime, leased)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE


async def test_an_anonymous_host_has_one_vote_however_often_it_sends(runtime: Runtime, store: Store) -> None:
    await new_job(runtime, policy={"quorum": 2})
    [variable] = await post(runtime, "double", [1])
    for expected in (Verdict.PENDING, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE):
        result = await unleased_results.submit(runtime, "double", variable.key, "legacy", value=2)
        assert result.verdict == expected
    assert await sole_state(store) == UnitState.OPEN
    other = await unleased_results.submit(runtime, "double", variable.key, "another", value=2)
    assert other.verdict == Verdict.VALID
    assert await sole_state(store) == UnitState.DONE


async def test_what_the_validator_turns_down_unasked_is_an_error_and_not_stored(runtime: Runtime, store: Store) -> None:
    await new_job(
        runtime, validate_result="(v, r, c) => c.phase === 'variable' || r === v * 2", policy={"max_errors": 1}
    )
    [variable] = await post(runtime, "double", [1])
    before = await store.tasks.count({})
    with pytest.raises(Rejected, match="turned this result down"):
        await unleased_results.submit(runtime, "double", variable.key, "legacy", value=3)
    assert await store.results.count({}) == 0
    assert await store.tasks.count({}) == before
    assert await sole_state(store) == UnitState.OPEN


async def test_a_variable_takes_so_many_results_unasked_and_no_more(
    runtime: Runtime, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.volunteers.unleased_results.MOST_A_VARIABLE", 2)
    await new_job(runtime, policy={"quorum": 3})
    [variable] = await post(runtime, "double", [1])
    for host in ("one", "two"):
        await unleased_results.submit(runtime, "double", variable.key, host, value=2)
    with pytest.raises(Conflict, match="got 2 results unasked, and takes no more"):
        await unleased_results.submit(runtime, "double", variable.key, "three", value=2)
    assert await store.results.count({}) == 2
    [receipt] = await FIRST.submit(runtime, await FIRST.claim(runtime))
    assert receipt.result is not None
    assert await sole_state(store) == UnitState.DONE
