from typing import Any

import pytest
import pytest_asyncio

from resolvers.errors import AlreadyExists, BadInput, Conflict, IdempotencyMismatch, NotFound, Rejected, TooLarge
from resolvers.owners import jobs, offers, variables
from resolvers.owners.variables import NewVariable, create_many
from resolvers.runtime import Runtime
from storage import Store
from tests.resolvers.playing import Volunteer, new_job, post


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def job(runtime: Runtime) -> None:
    await new_job(runtime)


async def _stored(store: Store) -> tuple[int, int]:
    return await store.variables.count({}), await store.tasks.count({})


async def test_the_same_value_again_is_another_variable(runtime: Runtime, store: Store) -> None:
    first, second = await post(runtime, "double", [{"a": 1}, {"a": 1}])
    assert first.key != second.key
    assert await _stored(store) == (2, 2)


async def test_a_variable_may_bring_its_own_id(runtime: Runtime) -> None:
    [made] = await create_many(runtime, "double", [NewVariable(1, "my.own_id~1")])
    assert (await variables.get(runtime, "double", "my.own_id~1")).id == made.id


@pytest.mark.parametrize("key", ["a b", "a/b", "x" * 129, "é", ".", "..", "script.js", "a:b", "\0"])
async def test_an_id_that_is_no_part_of_a_url_is_refused(runtime: Runtime, store: Store, key: str) -> None:
    with pytest.raises(BadInput, match="a variable's id takes 1 to 128") as told:
        await create_many(runtime, "double", [NewVariable(1), NewVariable(1, key)])
    assert told.value.field == "variables[1].id"
    assert await _stored(store) == (0, 0)


async def test_an_id_twice_in_one_request_is_refused(runtime: Runtime, store: Store) -> None:
    with pytest.raises(BadInput, match="the id 'a' comes twice") as told:
        await create_many(runtime, "double", [NewVariable(1, "a"), NewVariable(2, "b"), NewVariable(3, "a")])
    assert told.value.field == "variables[2].id"
    assert await _stored(store) == (0, 0)


async def test_all_are_stored_or_none(runtime: Runtime, store: Store) -> None:
    await create_many(runtime, "double", [NewVariable(1, "taken")])
    with pytest.raises(AlreadyExists, match="has a variable 'taken' already; nothing was stored") as told:
        await create_many(runtime, "double", [NewVariable(1, "fresh"), NewVariable(1, "taken"), NewVariable(1)])
    assert told.value.field == "variables[1].id"
    assert await _stored(store) == (1, 1)


@pytest.mark.parametrize("number", [0, 10_001])
async def test_too_few_or_too_many_are_refused(runtime: Runtime, store: Store, number: int) -> None:
    with pytest.raises(BadInput, match=f"variables takes 1 to 10,000 at once, got {number}"):
        await post(runtime, "double", range(number))
    assert await _stored(store) == (0, 0)


async def test_a_value_that_is_too_large_is_refused(runtime: Runtime, store: Store) -> None:
    with pytest.raises(TooLarge) as told:
        await post(runtime, "double", ["small", "x" * 1_000_000])
    assert told.value.field == "variables[1].value"
    assert await _stored(store) == (0, 0)


async def test_the_jobs_validator_is_asked_with_the_phase_variable(runtime: Runtime, store: Store) -> None:
    await new_job(
        runtime,
        "even",
        validate_result="(variable, result, context) => context.phase === 'variable' && variable % 2 === 0",
    )
    await post(runtime, "even", [2, 4])
    with pytest.raises(Rejected, match=r"turned this variable down.*context.phase === \"variable\"") as told:
        await post(runtime, "even", [2, 3])
    assert told.value.field == "variables[1].value"
    assert await store.variables.count({"job": "even"}) == 2


async def test_the_same_request_with_its_idempotency_key_answers_what_was_stored(
    runtime: Runtime, store: Store
) -> None:
    first = await post(runtime, "double", [1, 2], idempotency_key="once")
    await Volunteer("host").work(runtime, 2)
    again = await post(runtime, "double", [1, 2], idempotency_key="once")
    assert [variable.id for variable in again] == [variable.id for variable in first]
    assert await _stored(store) == (2, 2)


@pytest.mark.parametrize("values", [[1], [1, 2, 3], [2, 1], [1, 3]], ids=str)
async def test_another_request_with_the_same_idempotency_key_is_a_mismatch(
    runtime: Runtime, store: Store, values: list[Any]
) -> None:
    await post(runtime, "double", [1, 2], idempotency_key="once")
    with pytest.raises(IdempotencyMismatch):
        await post(runtime, "double", values, idempotency_key="once")
    assert await _stored(store) == (2, 2)


async def test_an_idempotency_key_does_not_make_anothers_variable_ones_own(runtime: Runtime, store: Store) -> None:
    await create_many(runtime, "double", [NewVariable(1, "a")])
    with pytest.raises(AlreadyExists):
        await create_many(runtime, "double", [NewVariable(1, "a")], idempotency_key="once")
    assert await _stored(store) == (1, 1)


async def test_a_job_that_is_not_there_or_archived_takes_no_variables(runtime: Runtime, store: Store) -> None:
    with pytest.raises(NotFound, match="there is no job with the key 'nothing'"):
        await post(runtime, "nothing", [1])
    await jobs.archive(runtime, "double")
    with pytest.raises(Conflict, match="the job 'double' is archived"):
        await post(runtime, "double", [1])
    assert await _stored(store) == (0, 0)


async def test_open_variables_come_in_a_random_order_that_a_cursor_goes_once_around(runtime: Runtime) -> None:
    made = {variable.key for variable in await post(runtime, "double", range(30))}
    orders: list[list[str]] = []
    for _ in range(3):
        seen: list[str] = []
        cursor = ""
        while found := await offers.wanted(runtime, "double", first=7, after=cursor):
            seen += [variable.key for _, variable in found]
            cursor = found[-1][0]
        assert set(seen) == made
        assert len(seen) == len(made)
        orders.append(seen)
    assert orders[0] != orders[1] or orders[1] != orders[2]


@pytest.mark.parametrize("cursor", ["x", "nan/0.5", "0.5/inf", "0.5", "2/0.1", "0.1/0.2/0.3", "-1/0"])
async def test_a_cursor_of_another_list_is_refused(runtime: Runtime, cursor: str) -> None:
    with pytest.raises(BadInput, match="is no cursor of this list") as told:
        await offers.wanted(runtime, "double", first=7, after=cursor)
    assert told.value.field == "after"
