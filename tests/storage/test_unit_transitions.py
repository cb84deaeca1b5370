"""A unit is decided once, and so is what its results are worth."""

import pytest

from storage import Store, UnitState, Verdict
from tests.storage.documents import NOW, make_result, make_variable


@pytest.mark.parametrize("state", UnitState)
async def test_a_unit_is_decided_or_given_up_once(store: Store, state: UnitState) -> None:
    ended = state not in (UnitState.NEW, UnitState.OPEN)
    unit = make_variable(state=state, finished_at=NOW if ended else 0)
    await store.variables.insert(unit)
    assert not await store.variables.decide([unit.id], "3", total=unit.total + 1, by="me", now=NOW)
    decided = await store.variables.decide([unit.id], "3", total=unit.total, by="me", now=NOW + 1)
    assert decided == (0 if ended else 1)
    assert not await store.variables.give_up(unit.id, UnitState.FAILED, "why", NOW + 2)
    current = await store.variables.get(unit.id)
    assert current is not None
    if ended:
        assert current == unit
    else:
        assert (current.state, current.canonical, current.decided_by, current.finished_at) == (
            UnitState.DONE,
            "3",
            "me",
            NOW + 1,
        )


@pytest.mark.parametrize("state", UnitState)
async def test_a_unit_opens_or_is_withdrawn_only_while_it_is_new(store: Store, state: UnitState) -> None:
    opening, leaving = make_variable("a", state=state), make_variable("b", state=state)
    await store.variables.insert_many([opening, leaving])
    await store.variables.opened([opening.id])
    await store.variables.withdraw([leaving.id])
    current = await store.variables.get_many([opening.id, leaving.id])
    assert current[opening.id].state == (UnitState.OPEN if state == UnitState.NEW else state)
    assert (leaving.id in current) == (state != UnitState.NEW)


async def test_a_total_is_never_lowered(store: Store) -> None:
    await store.variables.insert_many([make_variable("a", total=1), make_variable("b", total=5)])
    await store.variables.raise_total([make_variable("a").id, make_variable("b").id], 3)
    found = await store.variables.get_many([make_variable("a").id, make_variable("b").id])
    assert {unit.key: unit.total for unit in found.values()} == {"a": 3, "b": 5}


async def test_unsolicited_results_are_numbered_from_zero(store: Store) -> None:
    await store.variables.insert(make_variable())
    assert [await store.variables.expect_unsolicited(make_variable().id) for _ in range(3)] == [0, 1, 2]


async def test_units_that_a_process_left_new_are_found_when_they_are_due(store: Store) -> None:
    await store.variables.insert_many(
        [
            make_variable("due", due=NOW - 1),
            make_variable("later", due=NOW),
            make_variable("open", due=NOW - 1, state=UnitState.OPEN),
        ]
    )
    assert [unit.key for unit in await store.variables.unfinished_business(NOW, 9)] == ["due"]


async def test_a_verdict_changes_once_and_knows_who_changed_it(store: Store) -> None:
    await store.results.insert_many([make_result("0"), make_result("1", verdict=Verdict.VALID)])
    ids = [make_result("0").id, make_result("1").id]
    judge = store.results.judge
    assert await judge(ids, Verdict.PENDING, Verdict.INVALID, reason="why", by="me") == 1
    assert await judge(ids, Verdict.PENDING, Verdict.VALID, reason="", by="another") == 0
    found = await store.results.get_many(ids)
    assert [(each.verdict, each.reason, each.judged_by) for each in found.values()] == [
        (Verdict.INVALID, "why", "me"),
        (Verdict.VALID, "", ""),
    ]


async def test_a_validators_late_word_is_stored_once(store: Store) -> None:
    await store.results.insert(make_result())
    judged = make_result(value="2", digest="d", verdict=Verdict.CANONICAL)
    assert await store.results.settle(judged)
    assert not await store.results.settle(make_result(value="3", digest="e"))
    assert await store.results.get(judged.id) == judged
