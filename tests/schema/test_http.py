"""GraphQL over HTTP, through the server's own application."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from server.app import create_app
from server.settings import Settings
from tests.resolvers.playing import DOUBLE

STORE = """mutation ($value: JSON!) { createVariables(input: {job: "double", variables: [{value: $value}]}) {
  variables { value } userErrors { message } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(database="mock", sandbox_workers=1))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://pool") as opened,
    ):
        made = f'mutation {{ createJob(input: {{name: "double", executeFunction: "{DOUBLE}"}}) {{ job {{ key }} }} }}'
        assert (await opened.post("/graphql", json={"query": made})).status_code == 200
        yield opened


async def _sent(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await client.post("/graphql", content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "text",
    [
        '{"$set":{"a.b":1},"":[],"__proto__":{}}',
        "[0.1,-0.0,1e+300,18446744073709551615,9007199254740993]",
        '"ключ 😀 \\u0000 \\"\\\\"',
        '["\x7f\u2029","</script>"]',
    ],
)
async def test_a_value_in_its_usual_spelling_comes_back_byte_for_byte(client: httpx.AsyncClient, text: str) -> None:
    answer = await _sent(client, b'{"query":%s,"variables":{"value":%s}}' % (orjson.dumps(STORE), text.encode()))
    assert f'"variables":[{{"value":{text}}}]'.encode() in answer.content


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"query": 7}', b'{"query": "{", "variables": 7}', b"\xff"])
async def test_a_request_that_is_none_is_told_so(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await _sent(client, body)
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.json()["errors"]


@pytest.mark.parametrize("value", [b"1e999", b'"\xed\xa0\x80"', b"[" * 2000 + b"]" * 2000, b"NaN"])
async def test_what_is_no_json_value_is_refused(client: httpx.AsyncClient, value: bytes) -> None:
    answer = await _sent(client, b'{"query":%s,"variables":{"value":%s}}' % (orjson.dumps(STORE), value))
    assert answer.status_code == 400


async def test_errors_and_data_come_in_one_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": '{ pool { name } node(id: "?") { id } }'})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert body["data"] == {"pool": {"name": "comp-pool"}, "node": None}
    assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_a_query_may_come_by_get_and_a_mutation_may_not(client: httpx.AsyncClient) -> None:
    read = await client.get("/graphql", params={"query": "{ pool { name } }"})
    assert read.json()["data"] == {"pool": {"name": "comp-pool"}}
    write = await client.get(
        "/graphql", params={"query": 'mutation { archiveJob(input: {job: "double"}) { __typename } }'}
    )
    assert write.status_code >= 400
    state = await client.post("/graphql", json={"query": '{ job(key: "double") { state } }'})
    assert state.json()["data"]["job"]["state"] == "ACTIVE"


async def test_a_browser_gets_an_editor(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_body_without_end_is_refused(client: httpx.AsyncClient, accept: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000_000

    headers = {"content-type": "application/json", "accept": accept}
    answer = await client.post("/graphql", content=body(), headers=headers)
    assert answer.status_code == 413
    assert "32,000,000 bytes" in answer.text
