"""How many bytes an answer may have."""

from __future__ import annotations

import pytest
import pytest_asyncio

from resolvers.limits import Limits
from schema.machinery.limits import MAX_ALIASES
from tests.resolvers.playing import new_job, post
from tests.schema.api import Api

VALUES = 'job(key: "double") { variables(first: 100) { nodes { value } } }'
KEYS = 'job(key: "double") { variables(first: 100) { nodes { key } } }'
SOURCES = "{ jobs(first: 100) { nodes { executeFunction } } }"
MOST = 100_000


def query(*fields: str) -> str:
    return f"{{ {' '.join(fields)} }}"


@pytest_asyncio.fixture(loop_scope="session")
async def large(api: Api) -> Api:
    """A pool whose answers have at most 100 kB, and twice as much of everything."""
    await new_job(api.runtime, execute_function=f"() => 1 /* {'x' * 2 * MOST} */")
    await post(api.runtime, "double", ["x" * 1_000] * 60)
    api.runtime.limits = Limits(answer_bytes=MOST)
    return api


@pytest.mark.parametrize(
    "document",
    [
        query(*(f"a{number}: {VALUES}" for number in range(MAX_ALIASES))),
        query(f"a: {VALUES}", f"b: {VALUES}"),
        SOURCES,
    ],
)
async def test_an_answer_that_is_too_large_is_one_error(large: Api, document: str) -> None:
    answer = await large.answer(document)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "TOO_LARGE"
    assert "100,000 bytes" in error["message"]


async def test_what_fits_is_answered(large: Api) -> None:
    answer = await large(query(VALUES))
    assert len(answer["job"]["variables"]["nodes"]) == 60
    aliases = query(*(f"a{number}: {KEYS}" for number in range(3)))
    assert len((await large(aliases))["a2"]["variables"]["nodes"]) == 60


async def test_a_claim_leases_as_many_as_one_answer_holds(large: Api) -> None:
    large.runtime.limits = Limits(answer_bytes=10_100)
    claim = await large.done("claimTasks", "host tasks { id }", first=50)
    assert len(claim["tasks"]) == 10
    again = await large.done("claimTasks", "tasks { id }", first=50, host=claim["host"])
    assert len(again["tasks"]) == 10
    assert not {each["id"] for each in claim["tasks"]} & {each["id"] for each in again["tasks"]}
    large.runtime.limits = Limits(answer_bytes=10)
    assert len((await large.done("claimTasks", "tasks { id }", first=50, host=claim["host"]))["tasks"]) == 1
