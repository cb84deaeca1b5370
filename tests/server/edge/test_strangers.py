"""What pages on other origins, and names that lead here, can do to a pool on loopback: read, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.processes import RunningServer
from tests.warm_servers import warm_server

ELSEWHERE = "https://elsewhere.example"
FRIEND = "https://friend.example"
JSON = {"content-type": "application/json"}
JOB = {"name": "Work", "execute_function": "x => x"}
CREATE = 'mutation { createJob(input: {name: "Taken", executeFunction: "x => x"}) { job { key } } }'
SUBPROTOCOLS = [Subprotocol("graphql-transport-ws")]
SIMPLE = ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
"""What a page sends without a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-request-header)."""


@pytest.fixture(scope="module")
def pool() -> Iterator[RunningServer]:
    options = ("--public-url", "https://pool.example", "--allowed-origins", FRIEND, "--allowed-hosts", "other.example")
    with warm_server("memory", options=(*options, "--auth", "open")) as server:
        httpx.post(f"{server.url}/jobs", json=JOB).raise_for_status()
        httpx.post(f"{server.url}/jobs/work/variables", json=1).raise_for_status()
        yield server


def jobs(pool: RunningServer) -> int:
    return len(pool.ask("{ jobs(first: 100) { nodes { key } } }")["jobs"]["nodes"])


def ask(pool: RunningServer, query: str, origin: str, accept: str = "application/json") -> httpx.Response:
    return httpx.post(f"{pool.url}/graphql", json={"query": query}, headers={"origin": origin, "accept": accept})


@pytest.mark.parametrize("path", ["/", "/jobs/work", "/volunteer", "/graphql?query={pool{name}}", "/readyz"])
@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:7070", "localhost.rebound.example", "127.0.0.2"])
def test_a_name_that_is_not_the_pools_is_refused(pool: RunningServer, host: str, path: str) -> None:
    answer = httpx.get(f"{pool.url}{path}", headers={"host": host})
    assert answer.status_code == 421
    assert "--allowed-hosts" in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]", "[::1]:80", "pool.example", "other.example:1"]
)
def test_its_own_names_are_answered(pool: RunningServer, host: str) -> None:
    assert httpx.get(f"{pool.url}/jobs/work", headers={"host": host}).status_code == 200


def test_two_hosts_are_none(pool: RunningServer) -> None:
    connection = HTTPConnection("127.0.0.1", pool.port)
    connection.putrequest("GET", "/jobs")
    connection.putheader("Host", "localhost")
    connection.endheaders()
    with connection.getresponse() as answer:
        assert answer.status == 421


@pytest.mark.parametrize("path", ["/jobs", "/flows"])
@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "http://localhost:1", "http://127.0.0.1:1"])
def test_a_page_elsewhere_submits_nothing_by_rest(pool: RunningServer, path: str, origin: str) -> None:
    before = jobs(pool)
    for content_type in [*SIMPLE, "application/json"]:
        headers = {"origin": origin} | ({"content-type": content_type} if content_type else {})
        answer = httpx.post(f"{pool.url}{path}", content=json.dumps({**JOB, "name": "Taken"}), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "--allowed-origins" in answer.json()["message"]
    assert jobs(pool) == before


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_page_elsewhere_reads_by_graphql_and_writes_nothing(pool: RunningServer, accept: str) -> None:
    before = jobs(pool)
    assert "comp-pool" in ask(pool, "{ pool { name } }", ELSEWHERE, accept).text
    answer = ask(pool, CREATE, ELSEWHERE, accept)
    assert "errors" in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    if accept == "application/json":
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert jobs(pool) == before


@pytest.mark.parametrize("origin", ["", FRIEND, "https://pool.example"])
def test_own_and_allowed_pages_and_programs_write(pool: RunningServer, origin: str) -> None:
    headers = {"origin": origin or pool.url}
    assert httpx.post(f"{pool.url}/jobs", json=JOB | {"name": f"By {origin}"}, headers=headers).status_code == 201
    assert httpx.post(f"{pool.url}/jobs", content=json.dumps(JOB | {"name": "Program"})).status_code in (201, 409)
    assert "errors" not in ask(pool, "mutation { claimTasks(input: {}) { whyNoWork } }", headers["origin"]).json()


@pytest.mark.parametrize("content_type", SIMPLE)
@pytest.mark.parametrize("path", ["/jobs", "/flows", "/graphql"])
def test_a_page_says_that_its_body_is_json(pool: RunningServer, path: str, content_type: str) -> None:
    headers = {"origin": pool.url} | ({"content-type": content_type} if content_type else {})
    answer = httpx.post(f"{pool.url}{path}", content=json.dumps(JOB), headers=headers)
    assert answer.status_code == 415
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("headers", [JSON, {}])
def test_what_the_originals_clients_do_is_taken_from_any_page(pool: RunningServer, headers: dict[str, str]) -> None:
    sent = {"origin": ELSEWHERE, **headers}
    variable = httpx.post(f"{pool.url}/jobs/work/variables", content="7", headers=sent)
    assert variable.status_code == 201
    path = httpx.URL(variable.headers["location"]).path
    assert httpx.get(f"{pool.url}{path}", headers=sent).status_code == 200
    for rel in ("results", "result"):
        assert httpx.post(f"{pool.url}{path}/{rel}", content="49", headers=sent).status_code == 201


def test_a_page_elsewhere_opens_no_websocket(pool: RunningServer) -> None:
    url = f"ws{pool.url.removeprefix('http')}/graphql"
    for origin in (ELSEWHERE, "null"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, additional_headers={"Origin": origin}).close()
    for own in (pool.url, FRIEND, None):
        with connect(url, additional_headers={"Origin": own} if own else {}, subprotocols=SUBPROTOCOLS) as connection:
            connection.send(json.dumps({"type": "connection_init"}))
            assert json.loads(connection.recv(30))["type"] == "connection_ack"
