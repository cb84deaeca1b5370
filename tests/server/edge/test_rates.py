"""How often addresses, hosts and tokens may ask, and how many connections and subscriptions they may have open."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.processes import RunningServer, until
from tests.warm_servers import warm_server

SUBPROTOCOLS = [Subprotocol("graphql-transport-ws")]
LIMITS = ("--address-requests", "3", "--address-subscriptions", "2", "--new-hosts", "2", "--address-connections", "0")
AT_ONCE = 30
"""Requests that a rate of three a second lets through in a moment."""
CLAIM = """mutation ($host: String) { claimTasks(input: {host: $host}) {
  host userErrors { code message retryAfterSeconds } } }"""


@pytest.fixture(scope="module")
def pool() -> Iterator[RunningServer]:
    options = ("--auth", "open", "--trusted-proxies", "127.0.0.1", *LIMITS)
    with warm_server("memory", options=options) as server:
        httpx.post(f"{server.url}/jobs", json={"name": "Work", "execute_function": "x => x"}).raise_for_status()
        httpx.post(f"{server.url}/jobs/work/variables", json=1).raise_for_status()
        yield server


def client(pool: RunningServer, address: str) -> httpx.Client:
    return httpx.Client(base_url=pool.url, headers={"x-forwarded-for": address}, timeout=60)


def exhaust(http: httpx.Client) -> httpx.Response:
    """The first answer that is refused."""
    for _ in range(2 * AT_ONCE):
        if (answer := http.get("/jobs/work")).status_code == 429:
            return answer
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(
    ("address", "neighbour", "stranger"),
    [
        ("192.0.2.1", "192.0.2.200", "192.0.3.1"),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", "2001:db8:2::1"),
        ("::ffff:198.51.100.1", "198.51.100.2", "198.51.101.1"),
    ],
)
def test_an_address_group_that_asks_too_often_is_told_when_to_come_again(
    pool: RunningServer, address: str, neighbour: str, stranger: str
) -> None:
    with client(pool, address) as http:
        refused = exhaust(http)
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert (refused.json()["code"], refused.headers["content-type"]) == ("RATE_LIMITED", "application/problem+json")
        assert "retry-after" in refused.headers["access-control-expose-headers"].lower()
    with client(pool, neighbour) as http:
        answer = http.post("/graphql", json={"query": "{ pool { name } }"})
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert error["extensions"]["retryAfterSeconds"] == int(answer.headers["retry-after"])
    with client(pool, stranger) as http:
        assert http.get("/jobs/work").status_code == 200


def test_messages_of_a_websocket_count_as_requests(pool: RunningServer) -> None:
    with opened(pool, "203.0.113.1") as connection:
        with pytest.raises(ConnectionClosed) as closed:
            ask_on(connection)
        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "RATE_LIMITED")


def ask_on(connection: ClientConnection) -> None:
    for number in range(2 * AT_ONCE):
        ask = {"id": str(number), "type": "subscribe", "payload": {"query": "{ pool { name } }"}}
        connection.send(json.dumps(ask))
        while json.loads(connection.recv(60))["type"] != "complete":
            pass


@contextmanager
def opened(pool: RunningServer, address: str) -> Iterator[ClientConnection]:
    url = f"ws{pool.url.removeprefix('http')}/graphql"
    with connect(url, subprotocols=SUBPROTOCOLS, additional_headers={"x-forwarded-for": address}) as connection:
        connection.send(json.dumps({"type": "connection_init"}))
        connection.recv(60)
        yield connection


def subscribed(connection: ClientConnection, number: str) -> dict[str, object]:
    """The first message that comes of a subscription."""
    document = "subscription { poolActivity { cursor } }"
    connection.send(json.dumps({"id": number, "type": "subscribe", "payload": {"query": document}}))
    message: dict[str, object] = json.loads(connection.recv(60))
    while message.get("id") != number:
        message = json.loads(connection.recv(60))
    return message


def test_an_address_group_has_so_many_subscriptions_open(pool: RunningServer) -> None:
    with opened(pool, "203.0.114.1") as first, opened(pool, "203.0.114.2") as second:
        assert [subscribed(first, "a")["type"], subscribed(second, "b")["type"]] == ["next", "next"]
        refused = json.dumps(subscribed(second, "c"))
        assert '"RATE_LIMITED"' in refused
        assert '"retryAfterSeconds": 30' in refused
        with opened(pool, "203.0.115.1") as stranger:
            assert subscribed(stranger, "d")["type"] == "next"
    with opened(pool, "203.0.114.3") as again:
        until(lambda: "RATE_LIMITED" not in json.dumps(subscribed(again, "e")), "the closed ones are forgotten", 20)


def test_an_address_group_makes_so_many_hosts_an_hour(pool: RunningServer) -> None:
    with client(pool, "203.0.116.1") as http:
        made = [claimed(http) for _ in range(3)]
        assert [each["userErrors"] for each in made[:2]] == [[], []]
        [error] = made[2]["userErrors"]
        assert (error["code"], made[2]["host"]) == ("RATE_LIMITED", None)
        assert 0 < error["retryAfterSeconds"] <= 2 * 3600
        assert claimed(http, made[0]["host"])["userErrors"] == []


def claimed(http: httpx.Client, host: str | None = None) -> dict[str, Any]:
    answer = http.post("/graphql", json={"query": CLAIM, "variables": {"host": host}}).json()
    payload: dict[str, Any] = answer["data"]["claimTasks"]
    return payload


def test_clients_of_the_original_are_new_hosts_once(pool: RunningServer) -> None:
    def posted(agent: str) -> httpx.Response:
        return http.post("/jobs/work/variables/" + variable + "/result", json=1, headers={"user-agent": agent})

    with client(pool, "203.0.117.1") as http:
        variable = key_of(http)
        assert [posted(agent).status_code for agent in ("a", "b")] == [201, 201]
        refused = posted("c")
        assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
        assert int(refused.headers["retry-after"]) > 20
        assert posted("a").status_code == 201


def key_of(http: httpx.Client) -> str:
    answer = http.post("/graphql", json={"query": '{ job(key: "work") { variables(first: 1) { nodes { key } } } }'})
    key: str = answer.json()["data"]["job"]["variables"]["nodes"][0]["key"]
    return key


@pytest.fixture(scope="module")
def narrow() -> Iterator[RunningServer]:
    with warm_server("memory", options=("--address-connections", "3")) as server:
        yield server


def test_an_address_has_so_many_connections(narrow: RunningServer) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", narrow.port)))
        with socket.create_connection(("127.0.0.1", narrow.port)) as more:
            more.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            said = more.recv(1000).decode()
        assert said.startswith("HTTP/1.1 429")
        assert "\r\nretry-after: 5\r\n" in said
    until(lambda: answers(narrow), "there is room again")


def test_a_connection_that_becomes_a_websocket_is_one(narrow: RunningServer) -> None:
    until(lambda: answers(narrow), "those of other tests are closed")
    for _ in range(2):
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(socketed(narrow))
            with pytest.raises(InvalidStatus, match="429"), socketed(narrow):
                pass
        until(lambda: answers(narrow), "there is room again")


@contextmanager
def socketed(pool: RunningServer) -> Iterator[ClientConnection]:
    with connect(f"ws{pool.url.removeprefix('http')}/graphql", subprotocols=SUBPROTOCOLS) as connection:
        yield connection


def answers(pool: RunningServer) -> bool:
    try:
        return httpx.get(f"{pool.url}/livez").status_code == 204
    except httpx.TransportError:
        return False
