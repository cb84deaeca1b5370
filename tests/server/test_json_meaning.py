"""One JSON text means one thing, whichever way it comes in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
import pytest_asyncio

from tests.resolvers.playing import DOUBLE

ADD = """mutation ($values: [VariableInput!]!) { createVariables(input: {job: "double", variables: $values}) {
  variables { key } userErrors { message } } }"""
AS_JSON = {"content-type": "application/json"}
EMOJI = chr(0x1F600)
CASES = [
    (r'"\ud83d"', "\ufffd"),
    (r'"\uDE00\uD83D"', "\ufffd\ufffd"),
    (r'"a\ud83d\ude00b"', f"a{EMOJI}b"),
    (r'"\\ud83d"', "\\ud83d"),
    (r'{"\ud83d": [{"x": "\udc00"}]}', {"\ufffd": [{"x": "\ufffd"}]}),
]


@pytest_asyncio.fixture
async def http(pool_transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=pool_transport, base_url="http://pool.example") as opened:
        await opened.post("/jobs", json={"name": "double", "execute_function": DOUBLE})
        yield opened


async def _by_rest(http: httpx.AsyncClient, text: str) -> str:
    made = await http.post("/jobs/double/variables", content=text, headers=AS_JSON)
    assert made.status_code == 201, made.text
    return made.headers["location"].rpartition("/")[2]


async def _by_variable(http: httpx.AsyncClient, text: str) -> str:
    body = f'{{"query": {json.dumps(ADD)}, "variables": {{"values": [{{"value": {text}}}]}}}}'
    return _key(await http.post("/graphql", content=body, headers=AS_JSON))


async def _by_event(http: httpx.AsyncClient, text: str) -> str:
    body = f'{{"query": {json.dumps(ADD)}, "variables": {{"values": [{{"value": {text}}}]}}}}'
    answer = await http.post("/graphql", content=body, headers={**AS_JSON, "accept": "text/event-stream"})
    [data] = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    return _key(httpx.Response(200, content=data))


def _key(answer: httpx.Response) -> str:
    [made] = answer.json()["data"]["createVariables"]["variables"]
    key: str = made["key"]
    return key


WAYS = pytest.mark.parametrize("add", [_by_rest, _by_variable, _by_event])


@WAYS
@pytest.mark.parametrize(("text", "value"), CASES)
async def test_a_lone_surrogate_is_the_replacement_character(
    http: httpx.AsyncClient, add: object, text: str, value: object
) -> None:
    assert callable(add)
    key = await add(http, text)
    answer = await http.get(f"/jobs/double/variables/{key}")
    assert orjson.loads(answer.content)["variable"] == value


@WAYS
@pytest.mark.parametrize("text", ["-0", "-0.0", "-0e0", '{"a": [-0, "-0"]}'])
async def test_minus_zero_is_negative_as_in_javascript(http: httpx.AsyncClient, add: object, text: str) -> None:
    assert callable(add)
    key = await add(http, text)
    answer = await http.get(f"/jobs/double/variables/{key}")
    value = json.loads(answer.content, parse_int=float)["variable"]
    assert repr(value) == repr(json.loads(text, parse_int=float))


async def test_names_metadata_and_results_take_lone_surrogates_too(http: httpx.AsyncClient) -> None:
    name = r'"name": "d\ud83d", "metadata": {"\ud83d": "\ud83d"}'
    made = await http.post("/jobs", content=f'{{{name}, "execute_function": {json.dumps(DOUBLE)}}}', headers=AS_JSON)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["metadata"]) == ("d\ufffd", {"\ufffd": "\ufffd"})
    key = await _by_rest(http, "1")
    result = await http.post(f"/jobs/double/variables/{key}/results", content=r'"\ud83d"', headers=AS_JSON)
    assert (result.status_code, result.json()["result"]) == (201, "\ufffd")


@pytest.mark.parametrize(("path", "status"), [("/jobs/double/variables", 400), ("/graphql", 400)])
async def test_json_that_is_too_deep_is_refused_in_the_pools_words(
    http: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await http.post(path, content="[" * 2_000 + "]" * 2_000, headers=AS_JSON)
    assert answer.status_code == status
    assert "has more than 1,024 levels of arrays and objects, and no more are read: nest it less deeply" in answer.text
