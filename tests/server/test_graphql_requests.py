"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/), where it leaves something to be decided."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.resolvers.playing import DOUBLE

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"
NAME = "{ pool { name } }"
MAKE = f'mutation Make {{ createJob(input: {{name: "made", executeFunction: "{DOUBLE}"}}) {{ job {{ key }} }} }}'
TWO = f"{MAKE} query Read {NAME}"
JOBS = "{ jobs { nodes { key } } }"
NO_JOBS: dict[str, Any] = {"data": {"jobs": {"nodes": []}}}


@pytest_asyncio.fixture
async def http(pool_transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=pool_transport, base_url="http://pool.example") as opened:
        yield opened


async def post(http: httpx.AsyncClient, body: dict[str, Any], accept: str = RESPONSE) -> httpx.Response:
    return await http.post("/graphql", json=body, headers={"accept": accept})


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The one answer, which may have come as an event."""
    text = response.text
    if response.headers["content-type"].startswith(EVENTS):
        [text] = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.mark.parametrize("accept", [JSON, RESPONSE, EVENTS])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"query": TWO}, "has 2 operations: name the one to be carried out with `operationName` (Make, Read)"),
        ({"query": TWO, "operationName": "Other"}, 'there is no operation "Other" in this document (Make, Read)'),
        ({"query": "fragment F on Query { __typename }"}, "has 0 operations"),
        ({"query": "{"}, "Syntax Error"),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing'"),
        ({"query": "{ a" * 950 + " }" * 950}, "Document is nested too deeply"),
        ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "non-null type 'ID!'"),
    ],
)
async def test_a_request_that_can_not_be_carried_out_is_answered_without_data(
    http: httpx.AsyncClient, body: dict[str, Any], message: str, accept: str
) -> None:
    response = await post(http, body, accept)
    assert response.status_code == (400 if accept == RESPONSE else 200)
    assert response.headers["content-type"].startswith(accept)
    answer = answer_of(response)
    assert list(answer) == ["errors"]
    assert message in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert (await post(http, {"query": JOBS})).json() == NO_JOBS


async def test_the_operation_that_is_named_is_carried_out(http: httpx.AsyncClient) -> None:
    assert "pool" in (await post(http, {"query": TWO, "operationName": "Read"})).json()["data"]
    assert "createJob" in (await post(http, {"query": TWO, "operationName": "Make"})).json()["data"]


async def test_an_error_of_a_field_leaves_the_data_and_the_status_alone(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": '{ node(id: "?") { id } }'})
    assert response.status_code == 200
    assert response.json()["data"] == {"node": None}


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json, text/plain, */*", JSON),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}; charset=utf-8, {RESPONSE}; charset=utf-8", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON};q=0.9", JSON),
        (f"{RESPONSE};q=0, */*", JSON),
        (f"{RESPONSE}, {JSON}, {EVENTS}, multipart/mixed", RESPONSE),
        (f"{EVENTS};q=0.1, {JSON}", JSON),
        (f"{EVENTS}, {JSON};q=0.5", EVENTS),
        ("Application/GraphQL-Response+JSON", RESPONSE),
    ],
)
async def test_the_client_chooses_the_media_type(http: httpx.AsyncClient, accept: str, given: str) -> None:
    response = await post(http, {"query": NAME}, accept)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == given
    assert answer_of(response) == {"data": {"pool": {"name": "comp-pool"}}}


@pytest.mark.parametrize("accept", ["image/png", f"{JSON};q=0", "application/xml, text/html"])
async def test_a_client_that_takes_none_of_them_is_told_what_there_is(http: httpx.AsyncClient, accept: str) -> None:
    response = await post(http, {"query": MAKE}, accept)
    assert response.status_code == 406
    assert RESPONSE in response.json()["errors"][0]["message"]
    assert (await post(http, {"query": JOBS})).json() == NO_JOBS


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("application/json; charset=UTF-8", 200), ("APPLICATION/JSON", 200), ("text/plain", 415), ("", 415)],
)
async def test_a_body_is_json(http: httpx.AsyncClient, content_type: str, status: int) -> None:
    body = json.dumps({"query": NAME})
    response = await http.post("/graphql", content=body, headers={"content-type": content_type})
    assert response.status_code == status
    assert ("errors" in response.json()) == (status != 200)


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_a_mutation_by_get_is_not_carried_out(http: httpx.AsyncClient, accept: str) -> None:
    response = await http.get("/graphql", params={"query": MAKE}, headers={"accept": accept})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["errors"][0]["message"] == "A mutation is sent by POST: GET changes nothing."
    assert (await post(http, {"query": JOBS})).json() == NO_JOBS


async def test_a_mutation_by_get_is_not_carried_out_as_an_event_either(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": MAKE}, headers={"accept": EVENTS})
    assert answer_of(response)["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert (await post(http, {"query": JOBS})).json() == NO_JOBS


async def test_a_query_by_get_has_the_same_parameters(http: httpx.AsyncClient) -> None:
    query = (
        f"query Other {{ __typename }} query List($first: Int!) {{ jobs(first: $first) {{ nodes {{ key }} }} }} {MAKE}"
    )
    parameters = {"query": query, "operationName": "List", "variables": '{"first": 7}', "extensions": ""}
    assert (await http.get("/graphql", params=parameters)).json() == NO_JOBS
    wrong = await http.get("/graphql", params=parameters | {"variables": "[]"})
    assert (wrong.status_code, wrong.json()["errors"][0]["message"]) == (400, "`variables` must be an object or null.")


async def test_another_method_is_told_what_there_is(http: httpx.AsyncClient) -> None:
    response = await http.put("/graphql", json={"query": MAKE})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_a_subscription_is_answered_by_events_where_the_client_takes_them_too(http: httpx.AsyncClient) -> None:
    query = 'subscription { flowProgress(id: "RmxvdzowMQ==") { progress { total } } }'
    refused = await post(http, {"query": query})
    assert refused.status_code == 400
    assert "text/event-stream" in refused.json()["errors"][0]["message"]
    assert answer_of(await post(http, {"query": query}, f"{RESPONSE}, {EVENTS}"))["errors"]
