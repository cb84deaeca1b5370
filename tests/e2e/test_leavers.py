"""What nobody waits for any more is not gone on with."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import psutil
import pytest

from tests.e2e.test_aborted_requests import JSON
from tests.processes import HTTP, RunningServer, command_line, descendants, until
from tests.warm_servers import warm_server

SLOW = "() => { const end = Date.now() + 300; while (Date.now() < end); return true; }"
JOB = {"name": "Slow", "execute_function": "x => x", "validate_result": SLOW}
ADD = """mutation($v: [VariableInput!]!, $key: String) {
  createVariables(input: {job: "slow", variables: $v, idempotencyKey: $key}) { userErrors { code message } } }"""
STILL_S = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with warm_server("memory", options=("--request-sandbox-seconds", "300")) as running:
        HTTP.post(f"{running.url}/jobs", json=JOB).raise_for_status()
        yield running


def _sandbox_s(server: RunningServer) -> float:
    """Processor time of the V8 processes that live now."""
    spent = 0.0
    for each in descendants(server.process.pid):
        with suppress(psutil.Error):  # It ended.
            if "sandbox.worker" in command_line(each):
                times = each.cpu_times()
                spent += times.user + times.system
    return spent


def _is_idle(server: RunningServer) -> bool:
    before = _sandbox_s(server)
    time.sleep(STILL_S)
    return abs(_sandbox_s(server) - before) < STILL_S / 4


def _leave(server: RunningServer, variables: int, key: str) -> None:
    """Ask for calls that take minutes, and leave once they are under way."""
    body = json.dumps({"query": ADD, "variables": {"v": [{"value": at} for at in range(variables)], "key": key}})
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
        connection.sendall(f"{head}{body}".encode())
        until(lambda: not _is_idle(server), "the calls are under way")


def test_who_leaves_takes_the_calls_along(server: RunningServer) -> None:
    _leave(server, 900, "once")
    until(lambda: _is_idle(server), "the calls have ended", patience_s=30)


def test_what_was_left_half_way_may_be_sent_again(server: RunningServer) -> None:
    _leave(server, 900, "again")
    until(lambda: _is_idle(server), "the calls have ended", patience_s=30)
    assert server.ask(ADD, v=[{"value": 1}], key="again")["createVariables"]["userErrors"] == []


def test_one_request_uses_the_sandbox_for_no_longer_than_it_may() -> None:
    with warm_server("memory", options=("--request-sandbox-seconds", "1")) as server:
        HTTP.post(f"{server.url}/jobs", json=JOB).raise_for_status()
        made = server.ask(ADD, v=[{"value": at} for at in range(100)])["createVariables"]
    assert {error["code"] for error in made["userErrors"]} == {"TOO_LARGE"}
    assert "used up 1 s of the sandbox; send fewer variables at once" in made["userErrors"][0]["message"]
