"""Clients that leave in the middle of a request: their fault, and no more than a line in the log."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import RunningServer, running_server

JSON = "Content-Type: application/json"
EVENTS = f"{JSON}\r\nAccept: text/event-stream"
FORM = "Content-Type: multipart/form-data; boundary=x"
SUBSCRIBE = '{"query": "subscription { poolActivity { __typename } }"}'
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws"
)


def half(path: str, headers: str, body: str = '{"name": ') -> str:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: 1000\r\n\r\n{body}"


def whole(path: str, headers: str, body: str) -> str:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n{body}"


ABORTED = {
    "a body for the facade": half("/jobs", JSON),
    "a body for GraphQL": half("/graphql", JSON),
    "a body for events": half("/graphql", EVENTS),
    "a multipart body": half("/graphql", FORM, "--x\r\nContent-Disposition: form-data; name=operations\r\n\r\n{"),
    "a multipart body for the facade": half("/jobs", FORM, "--x\r\n"),
    "a chunk": f"POST /graphql HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nabc",
    "an upload to a page": half("/volunteer", JSON),
    "events under way": whole("/graphql", EVENTS, SUBSCRIBE),
    "an answer that is not read": whole("/graphql", JSON, '{"query": "{ __schema { types { fields { name } } } }"}'),
    "a handshake": f"GET /graphql HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n\r\n",
    "half a handshake": f"GET /graphql HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}",
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def server(log: Path) -> Iterator[RunningServer]:
    with log.open("w") as written, running_server("memory", log=written) as running:
        yield running


def leave(server: RunningServer, said: str) -> None:
    """Send something, see that the server has begun with it where it answers at once, and cut the connection."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(said.encode())
        if said in (ABORTED["events under way"], ABORTED["a handshake"]):
            assert connection.recv(100)
        # Reset, instead of said goodbye.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_a_client_that_leaves_is_no_error_of_the_server(server: RunningServer, log: Path) -> None:
    for said in ABORTED.values():
        leave(server, said)
        httpx.get(f"{server.url}/livez").raise_for_status()
    assert server.ask("{ pool { name } }")
    assert server.stop(signal.SIGTERM) == 0
    lines = log.read_text().splitlines()
    assert "Traceback" not in "\n".join(lines)
    assert not [line for line in lines if "ERROR" in line or "Exception" in line]
