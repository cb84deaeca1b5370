"""`Idempotency-Key` on every POST: a repeated request is answered as the first one was."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.contract.graphql import execute
from tests.contract.scenario import EXECUTE, Job

SLOW = "function () { const end = Date.now() + 300; while (Date.now() < end); return true; }"
"""Not slower than a validator may be."""


@pytest.fixture
def key() -> dict[str, str]:
    return {"idempotency-key": uuid4().hex}


async def posts(job: Job, variable: str) -> list[tuple[str, object, object]]:
    """For each path that takes a POST two bodies."""
    run = {"job": job.key, "variable": "test_limit_case"}
    return [
        (f"{job.root}/jobs", {"name": uuid4().hex, "execute_function": EXECUTE}, {"name": "x", "execute_function": ""}),
        (f"{job.url}/variables", {"n": 1}, {"n": 2}),
        (f"{variable}/results", {"sum": 2}, {"sum": 3}),
        (f"{variable}/result", {"sum": 2}, {"sum": 3}),
        (f"{job.root}/flows", {"jobs": [run]}, {"jobs": [run, run]}),
    ]


def told(answer: httpx.Response) -> tuple[int, str, bytes]:
    return answer.status_code, answer.headers["location"], answer.content


async def test_a_repeated_post_has_the_same_status_location_and_body_on_every_path(
    job: Job, variable: str, key: dict[str, str]
) -> None:
    for url, body, _ in await posts(job, variable):
        first = await job.client.post(url, json=body, headers=key)
        assert first.status_code == 201, first.text
        assert told(await job.client.post(url, json=body, headers=key)) == told(first)


async def test_every_path_that_takes_a_post_is_tried(job: Job, variable: str) -> None:
    paths = (await job.client.get("/openapi.json")).json()["paths"]
    assert len([path for path, methods in paths.items() if "post" in methods]) == len(await posts(job, variable))


async def test_a_repeated_post_adds_nothing(job: Job, variable: str, key: dict[str, str]) -> None:
    for _ in range(3):
        await job.client.post(f"{job.url}/variables", json={"n": 1}, headers=key)
        await job.client.post(f"{variable}/results", json={"sum": 2}, headers=key)
    counted = await execute(
        job.client,
        "query ($key: String!) { job(key: $key) { variableCounts { open done } } }",
        key=job.key,
    )
    assert counted["job"]["variableCounts"] == {"open": 1, "done": 1}
    assert len((await job.client.get(f"{variable}/results")).json()["_embedded"]["results"]) == 1


async def test_another_body_under_a_known_key_is_422(job: Job, variable: str, key: dict[str, str]) -> None:
    for url, body, other in await posts(job, variable):
        await job.client.post(url, json=body, headers=key)
        answer = await job.client.post(url, json=other, headers=key)
        assert answer.status_code == 422
        assert answer.json()["code"] == "IDEMPOTENCY_MISMATCH"


async def test_a_key_means_nothing_at_another_url(job: Job, key: dict[str, str]) -> None:
    urls = [await job.variable({"n": 1}) for _ in range(2)]
    made = [await job.client.post(f"{url}/results", json=1, headers=key) for url in urls]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].headers["location"] != made[1].headers["location"]


async def test_a_post_that_is_still_carried_out_is_409(client: httpx.AsyncClient, key: dict[str, str]) -> None:
    await client.post("/jobs", json={"name": "Slow", "execute_function": EXECUTE, "validate_result": SLOW})
    both = [client.post("/jobs/slow/variables", json={"n": 1}, headers=key) for _ in range(2)]
    answers = sorted(await asyncio.gather(*both), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "IN_PROGRESS"
    assert told(await client.post("/jobs/slow/variables", json={"n": 1}, headers=key)) == told(answers[0])


async def test_a_post_that_failed_may_be_tried_again(client: httpx.AsyncClient, key: dict[str, str]) -> None:
    broken = {"name": "Second try", "execute_function": "function ( {"}
    assert (await client.post("/jobs", json=broken, headers=key)).json()["code"] == "UNPARSABLE_JAVASCRIPT"
    assert (await client.post("/jobs", json=broken | {"execute_function": EXECUTE}, headers=key)).status_code == 201


@pytest.mark.parametrize("value", ["", "two words", "x" * 201])
async def test_what_cannot_be_a_key_is_400(job: Job, value: str) -> None:
    answer = await job.client.post(f"{job.url}/variables", json=1, headers={"idempotency-key": value})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Idempotency-Key"


async def test_a_repeated_minimal_answer_is_minimal(job: Job, key: dict[str, str]) -> None:
    asked = key | {"prefer": "return=minimal"}
    answers = [await job.client.post(f"{job.url}/variables", json=1, headers=asked) for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["preference-applied"] == "return=minimal"
    assert answers[0].headers["location"] == answers[1].headers["location"]


async def test_a_result_reported_twice_through_graphql_is_one(job: Job, variable: str) -> None:
    mutation = """mutation ($input: CreateResultInput!) {
      createResult(input: $input) { result { key value } userErrors { code field } }
    }"""
    given = {"job": job.key, "variable": "test_limit_case", "value": 1, "idempotencyKey": uuid4().hex}
    first, again = [(await execute(job.client, mutation, input=given))["createResult"] for _ in range(2)]
    assert first == again
    assert first["result"]["value"] == 1
    other = (await execute(job.client, mutation, input=given | {"value": 2}))["createResult"]
    assert other["userErrors"] == [{"code": "IDEMPOTENCY_MISMATCH", "field": "idempotencyKey"}]
