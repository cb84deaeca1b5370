"""What the facade makes of bodies."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rest_compat.small_pool.types import Pool

H = "http://pool.example"
JSON = {"content-type": "application/json"}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$set", "a.b", "_id", "then", "__proto__"]), inner, max_size=4)
    ),
    max_leaves=20,
)


async def test_making_a_job_answers_it_with_its_location(client: httpx.AsyncClient) -> None:
    body = {
        "name": "Pi",
        "execute_function": "x => x",
        "policy": {"quorum": 2},
        "metadata": {"owner": "me"},
        "state": "ARCHIVED",
    }
    answer = await client.post("/jobs", json=body)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{H}/jobs/pi"
    assert answer.json()["policy"]["quorum"] == 2
    assert answer.json()["metadata"] == {"owner": "me"}
    assert answer.json()["state"] == "ARCHIVED"
    assert answer.json() == (await client.get("/jobs/pi")).json()


async def test_a_posted_variable_is_echoed_in_the_original_shape(client: httpx.AsyncClient, job: str) -> None:
    answer = await client.post(f"{job}/variables", json={"n": 1})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{H}{job}/variables/v0"
    links = answer.json().pop("_links")
    assert links["self"]["href"] == answer.headers["location"]
    echo = {name: value for name, value in answer.json().items() if name != "_links"}
    assert echo == {"for_jobs": ["pi"], "variable": {"n": 1}, "_id": "v0"}


@pytest.mark.parametrize("collection", ["results", "result"])
async def test_a_result_can_be_posted_to_both_addresses(
    client: httpx.AsyncClient, variable: str, collection: str
) -> None:
    answer = await client.post(f"{variable}/{collection}", json={"sum": 3})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{H}{variable}/results/0"
    shown = {name: value for name, value in answer.json().items() if name != "_links"}
    assert shown == {
        "from_job": "pi",
        "from_variable": "test_limit_case",
        "result": {"sum": 3},
        "_id": "0",
    }


async def test_a_body_with_surprising_spelling_is_kept_byte_for_byte(
    client: httpx.AsyncClient, pool: Pool, job: str
) -> None:
    body = b'{"a.b":1,"$gt":{"x":1.0},"big":123456789012345678901234567890,"twice":1,"twice":2,"\\u00e9":1e2}'
    answer = await client.post(f"{job}/variables", content=body, headers=JSON)
    assert pool.variables["pi", "v0"] == body.decode()
    assert body in answer.content
    assert body in (await client.get(answer.headers["location"])).content


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values)
async def test_any_json_value_comes_back_as_it_went(client: httpx.AsyncClient, job: str, value: object) -> None:
    try:
        body = orjson.dumps(value)
    except orjson.JSONEncodeError:  # a lone surrogate is no JSON
        return
    made = await client.post(f"{job}/variables", content=body, headers=JSON)
    assert made.status_code == 201
    answer = await client.get(made.headers["location"])
    assert answer.status_code == 200
    assert body in answer.content
    assert orjson.loads(answer.content)["variable"] == orjson.loads(body)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60))
async def test_any_bytes_are_either_json_or_a_problem(client: httpx.AsyncClient, job: str, body: bytes) -> None:
    answer = await client.post(f"{job}/variables", content=body, headers=JSON)
    try:
        orjson.loads(body)
        expected = 201
    except orjson.JSONDecodeError:
        expected = 400
    assert answer.status_code == expected


@pytest.mark.parametrize("content_type", ["application/json", "application/hal+json; charset=utf-8", None])
async def test_bodies_are_json_by_several_names(client: httpx.AsyncClient, job: str, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert (await client.post(f"{job}/variables", content=b"1", headers=headers)).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
async def test_bodies_of_other_types_are_refused(client: httpx.AsyncClient, job: str, content_type: str) -> None:
    answer = await client.post(f"{job}/variables", content=b"1", headers={"content-type": content_type})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"execute_function": "x"}, "name"),
        ({"name": None, "execute_function": "x"}, "name"),
        ({"name": 1, "execute_function": "x"}, "name"),
        ({"name": "a", "execute_function": "x", "policy": {"quorum": "2"}}, "policy.quorum"),
        ({"name": "a", "execute_function": "x", "policy": {"notes": ["a", 1]}}, "policy.notes[1]"),
        ({"name": "a", "execute_function": "x", "policy": 3}, "policy"),
        ({"name": "a", "execute_function": "x", "policy": {"much": 1}}, "policy.much"),
        ({"name": "a", "execute_function": "x", "state": "SLEEPING"}, "state"),
        ({"name": "a", "execute_function": "x", "surprise": 1}, "surprise"),
        ({"name": "a", "execute_function": "x", "secret": "1"}, "secret"),
        ({"name": "a", "executeFunction": "x"}, "executeFunction"),
    ],
)
async def test_a_bad_field_is_named_and_nothing_is_stored(
    client: httpx.AsyncClient, pool: Pool, body: dict[str, Any], field: str
) -> None:
    answer = await client.post("/jobs", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "BAD_INPUT"
    assert answer.json()["field"] == field
    assert field in answer.json()["message"]
    assert not pool.jobs


@pytest.mark.parametrize("body", [b"", b"{", b"nope", b"\xff", b"[]", b"NaN"])
async def test_a_body_that_is_no_json_object_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post("/jobs", content=body, headers=JSON)).status_code == 400


async def test_a_body_that_is_too_long_is_refused(client: httpx.AsyncClient, job: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    known = await client.post(f"{job}/variables", content=b" " * 2_000_000, headers=JSON)
    unknown = await client.post(f"{job}/variables", content=chunks(), headers=JSON)
    assert known.status_code == unknown.status_code == 413
    assert known.json()["code"] == "TOO_LARGE"


async def test_errors_of_the_payload_become_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/jobs", json={"name": "a", "execute_function": "("})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "UNPARSABLE_JAVASCRIPT"
    assert problem["message"] == problem["detail"] == "does not parse"
    assert problem["errors"] == [
        {"field": "execute_function", "message": "does not parse", "code": "UNPARSABLE_JAVASCRIPT"}
    ]


async def test_the_idempotency_key_reaches_the_input(client: httpx.AsyncClient, pool: Pool) -> None:
    body = {"name": "a", "execute_function": "x"}
    await client.post("/jobs", json=body, headers={"idempotency-key": "k1"})
    await client.post("/jobs", json=body)
    assert pool.idempotency_keys == ["k1", None]
    assert (await client.post("/jobs", json={**body, "idempotency_key": "k2"})).status_code == 400


async def test_who_prefers_it_minimal_gets_no_body(client: httpx.AsyncClient, job: str) -> None:
    minimal = {"prefer": "return=minimal"}
    made = await client.post(f"{job}/variables", json=1, headers=minimal)
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["location"] == f"{H}{job}/variables/v0"
    assert made.headers["preference-applied"] == "return=minimal"
    assert (await client.delete(job, headers=minimal)).status_code == 204


async def test_an_operation_without_a_body_needs_none(client: httpx.AsyncClient, job: str) -> None:
    answer = await client.delete(job)
    assert answer.status_code == 200
    assert answer.json()["state"] == "ARCHIVED"
    assert "location" not in answer.headers
