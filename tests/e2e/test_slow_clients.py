"""Clients that dawdle, or do not stop: each is answered or disconnected in time, and no more than a line in the log."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, repeat
from pathlib import Path
from select import select

import psutil
import pytest

from tests.e2e.test_aborted_requests import EVENTS, FORM, JSON, UPGRADE, half
from tests.processes import HTTP, RunningServer, running_server, until

OPTIONS = (
    *("--max-header-bytes", "4096", "--header-seconds", "0.5", "--body-seconds", "0.5", "--write-seconds", "0.5"),
    *("--log-level", "info"),
)
HEAD = "GET /livez HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = f"POST /jobs HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a header": (f"{HEAD}X-Long: ", "x" * 1000),
    "a header's name": (f"{HEAD}X", "x" * 1000),
    "headers": (HEAD, "X-Many: x\r\n" * 100),
    "a path": ("GET /", "x" * 1000),
    "a trailer": (f"{CHUNKED}1\r\n1\r\n0\r\nX-Long: ", "x" * 1000),
    "a chunk's extension": (f"{CHUNKED}1;", "x" * 1000),
    "a header of a handshake": (f"GET /graphql HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\nX: ", "x" * 1000),
}
HALF_HEADS = ["G", HEAD, f"{HEAD}X: y", f"GET /graphql HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}"]
HALF_BODIES = {
    "for the facade": half("/jobs", JSON),
    "for GraphQL": half("/graphql", JSON),
    "for events": half("/graphql", EVENTS),
    "of a variable": half("/jobs/work/variables", JSON),
    "in a chunk": f"{CHUNKED}100\r\nabc",
}
ANSWERED_AT_ONCE = {
    "to a page": half("/volunteer", JSON),
    "in parts": half("/graphql", FORM, "--x\r\n"),
    "from a page elsewhere": half("/jobs", f"{JSON}\r\nOrigin: https://elsewhere.example"),
    "of a GET": half("/livez", JSON).replace("POST", "GET"),
}
ADD = """mutation($v: [VariableInput!]!) {
  createVariables(input: {job: "work", variables: $v}) { userErrors { message } } }"""
LARGE = '{ job(key: "work") { variables(first: 20) { nodes { value } } } }'


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slow") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[RunningServer]:
    with log.open("w") as written, running_server("memory", options=OPTIONS, log=written) as running:
        HTTP.post(f"{running.url}/jobs", json={"name": "Work", "execute_function": "x => x"}).raise_for_status()
        running.ask(ADD, v=[{"value": "x" * 900_000} for _ in range(20)])
        yield running
    lines = log.read_text().splitlines()
    assert [line for line in lines if "ERROR" in line or "Traceback" in line or line.startswith(" ")] == []


def connected(server: RunningServer) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(30)
    return connection


def to_the_end(connection: socket.socket) -> str:
    """All that is said until the server closes the connection."""
    heard = b""
    try:
        while piece := connection.recv(65536):
            heard += piece
    except ConnectionResetError:
        pass
    return heard.decode("latin-1")


@pytest.mark.parametrize("what", ENDLESS)
def test_what_does_not_end_is_refused(server: RunningServer, what: str) -> None:
    start, more = ENDLESS[what]
    sent = 0
    with closing(connected(server)) as connection:
        try:
            for piece in chain([start], repeat(more)):
                connection.sendall(piece.encode())
                sent += len(piece)
                assert sent < 50_000_000, "the server reads on"
        except (ConnectionResetError, BrokenPipeError):
            pass


@pytest.mark.parametrize("what", [each for each in ENDLESS if "trailer" not in each and "chunk" not in each])
def test_a_head_that_is_too_large_is_answered(server: RunningServer, what: str) -> None:
    start, more = ENDLESS[what]
    with closing(connected(server)) as connection:
        connection.sendall(f"{start}{more * 5}".encode())
        assert to_the_end(connection).startswith("HTTP/1.1 431 ")


@pytest.mark.parametrize("half_head", HALF_HEADS)
@pytest.mark.parametrize("before", ["", f"{HEAD}\r\n"])
def test_half_a_head_is_answered_in_time(server: RunningServer, before: str, half_head: str) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(before.encode())
        if before:
            assert connection.recv(1000).startswith(b"HTTP/1.1 204")
        connection.sendall(half_head.encode())
        assert to_the_end(connection).startswith("HTTP/1.1 408 ")


def test_who_says_nothing_is_disconnected(server: RunningServer) -> None:
    with closing(connected(server)) as connection:
        assert to_the_end(connection) == ""


@pytest.mark.parametrize("what", HALF_BODIES)
def test_half_a_body_is_answered_in_time(server: RunningServer, what: str) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(HALF_BODIES[what].encode())
        answer = to_the_end(connection)
    assert answer.startswith("HTTP/1.1 408 ")
    assert "access-control-allow-origin: *" in answer


def test_a_body_that_comes_slowly_and_steadily_is_taken() -> None:
    seconds, pieces, pause_s = 2, 12, 0.25
    body = json.dumps({"query": "{ pool { name } }", "variables": {"padding": "x" * 16_000 * pieces}}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        running_server("memory", options=("--body-seconds", str(seconds))) as server,
        closing(connected(server)) as connection,
    ):
        began = time.monotonic()
        connection.sendall(head.encode())
        step = len(body) // pieces + 1
        for at in range(0, len(body), step):
            connection.sendall(body[at : at + step])
            if at + step < len(body):
                assert not select([connection], [], [], pause_s)[0], "it is answered too early"
        assert time.monotonic() - began > seconds
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_stands_still_is_refused_however_much_has_come(server: RunningServer) -> None:
    much = f"{half('/graphql', JSON).replace('1000', '9000000')}{'x' * 8_000_000}"
    with closing(connected(server)) as connection:
        connection.sendall(much.encode())
        assert to_the_end(connection).startswith("HTTP/1.1 408 ")


def test_a_body_that_only_drips_is_refused(server: RunningServer) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(half("/jobs", JSON).encode())
        dripped = 0
        while not select([connection], [], [], 0.05)[0]:
            connection.sendall(b" ")
            dripped += 1
            assert dripped < 900, "the server waits on"
        assert to_the_end(connection).startswith("HTTP/1.1 408 ")


@pytest.mark.parametrize("what", ANSWERED_AT_ONCE)
def test_the_rest_of_a_body_that_nobody_reads_is_not_waited_for(server: RunningServer, what: str) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(ANSWERED_AT_ONCE[what].encode())
        assert to_the_end(connection).startswith("HTTP/1.1 ")


def test_a_client_that_does_not_read_is_disconnected(server: RunningServer) -> None:
    body = json.dumps({"query": LARGE})
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    with closing(connected(server)) as connection:
        connection.sendall(f"{head}{body}".encode())
        port = connection.getsockname()[1]
        until(lambda: port in _clients(server), "it is connected")
        until(lambda: port not in _clients(server), "it is disconnected")


def test_a_websocket_that_is_not_read_is_disconnected(server: RunningServer) -> None:
    handshake = f"GET /graphql HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n\r\n"
    with closing(connected(server)) as connection:
        connection.sendall(handshake.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 101")
        connection.sendall(_frame({"type": "connection_init"}))
        connection.sendall(_frame({"id": "1", "type": "subscribe", "payload": {"query": LARGE}}))
        port = connection.getsockname()[1]
        until(lambda: port not in _clients(server), "it is disconnected")


def test_who_reads_gets_large_answers(server: RunningServer) -> None:
    assert len(server.ask(LARGE)["job"]["variables"]["nodes"]) == 20


def _frame(message: object) -> bytes:
    """A masked text frame of up to 64 KB (RFC 6455, section 5.2), whose mask changes nothing."""
    text = json.dumps(message).encode()
    return b"\x81" + bytes([0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4) + text


def _clients(server: RunningServer) -> set[int]:
    """The ports of the clients that the server is connected with."""
    there = psutil.Process(server.process.pid).net_connections("tcp")
    return {each.raddr.port for each in there if each.raddr and each.status == psutil.CONN_ESTABLISHED}
