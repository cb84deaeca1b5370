"""What others wrote, in the log."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from server.logs import FORMAT, MOST_CHARACTERS, Plain, Sparing, plain
from tests.processes import HTTP, running_server, until

FORGED = "2026-11-27 00:00:00,000 ERROR server.app: the pool was taken over"
SCHEDULER = f"() => {{ throw new Error('no\\n{FORGED}\\r\\u001b[31m' + '\\u2028x'.repeat(100000)); }}"
SECRETS = {
    "Authorization: Bearer abcDEF.123-_~+/=": "abcDEF",
    "{'authorization': 'bearer s3cr3tvalue'}": "s3cr3tvalue",
    "Authorization: Basic dXNlcjpwYXNz": "dXNlcjpwYXNz",
    "token cp_0123456789abcdef_s3cr3tvalue was": "s3cr3tvalue",
    "opened dashboard#/sign-in?link=cl_0123456789abcdef_s3cr3tvalue": "s3cr3tvalue",
    "host 0123456789abcdef.s3cr3tvalues3cr3tvalue": "s3cr3tvalue",
    "mongodb://someone:s3cr3tvalue@db.example/": "s3cr3tvalue",
    "connectionParams={'anything': 's3cr3tvalue'}": "s3cr3tvalue",
    'connection_params": {"token": "s3cr3tvalue"}': "s3cr3tvalue",
}


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(written: io.StringIO) -> logging.Logger:
    """A logger that writes as the server's do."""
    logger = logging.Logger("pool")
    handler = logging.StreamHandler(written)
    handler.setFormatter(Plain(FORMAT))
    handler.addFilter(Sparing())
    logger.addHandler(handler)
    return logger


@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_text_breaks_its_line_or_steers(text: str) -> None:
    line = plain(text)
    assert line.splitlines() in ([], [line])
    assert not any(each < " " or "\x7f" <= each <= "\x9f" for each in line)
    line.encode()


def test_a_long_text_is_cut() -> None:
    line = plain("x" * 1_000_000)
    assert len(line) < MOST_CHARACTERS + 100
    assert line.endswith("(1,000,000 characters)")


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_left_out_of_messages_and_tracebacks(text: str, log: logging.Logger, written: io.StringIO) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it failed: %s", text)
    assert "it failed" in written.getvalue()
    assert SECRETS[text] not in written.getvalue()
    assert "***" in written.getvalue()


def test_a_traceback_forges_no_entry_and_has_an_end(log: logging.Logger, written: io.StringIO) -> None:
    try:
        raise ValueError(f"no\n{FORGED}" * 10_000)
    except ValueError:
        log.exception("it failed")
    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR pool: it failed")
    assert all(line.startswith("    ") for line in rest)
    assert len(rest) < 100


def test_an_event_is_written_once_a_second_and_job(
    log: logging.Logger, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("server.logs.time.monotonic", lambda: now)
    for number in range(100):
        log.warning("job %s: %s", "a", number, extra={"job": "a"})
        log.warning("job %s: %s", "b", number, extra={"job": "b"})
    now = 1.5
    log.warning("job %s: %s", "a", 100, extra={"job": "a"})
    assert [line.partition("pool: ")[2] for line in written.getvalue().splitlines()] == [
        "job a: 0",
        "job b: 0",
        "job a: 100 (and 99 more like it)",
    ]


def test_what_is_kept_of_events_has_an_end() -> None:
    sparing = Sparing()
    for number in range(25_000):
        sparing.filter(logging.LogRecord("pool", logging.INFO, "", 0, f"event {number}", None, None))
    assert len(sparing._seen) <= 10_000


@pytest.mark.parametrize("level", ["info", "debug"])
def test_an_owners_error_and_a_clients_secrets_in_a_running_pool(tmp_path: Path, level: str) -> None:
    path = tmp_path / "log"
    with path.open("w") as target, running_server("memory", log=target, options=("--log-level", level)) as server:
        job = {"name": "Forger", "execute_function": "x => x", "variable_scheduler": SCHEDULER}
        HTTP.post(f"{server.url}/jobs", json=job).raise_for_status()
        HTTP.post(f"{server.url}/jobs/forger/variables", json=1).raise_for_status()
        secret = {"authorization": "Bearer cp_0123456789abcdef_s3cr3tvalue"}
        for _ in range(20):
            HTTP.get(f"{server.url}/jobs/forger/variables", headers=secret)
        _connect(server.url, secret)
        until(lambda: "chosen at random" in path.read_text(), "the owner's error is logged")
    text = path.read_text()
    assert "the pool was taken over" in text
    assert not [line for line in text.splitlines() if line.startswith("2026-11-27 00:00:00")]
    assert all(len(line) < 3 * MOST_CHARACTERS for line in text.splitlines())
    assert "s3cr3tvalue" not in text


def _connect(url: str, headers: dict[str, str]) -> None:
    """Open a WebSocket with secrets in its headers and its first message, and one that is refused."""
    with connect(
        f"ws{url.removeprefix('http')}/graphql",
        additional_headers=headers,
        subprotocols=[Subprotocol("graphql-transport-ws")],
    ) as connection:
        connection.send('{"type": "connection_init", "payload": {"authorization": "s3cr3tvalue"}}')
        assert "connection_ack" in str(connection.recv(30))
        connection.send('{"type": "nonsense", "payload": {"password": "s3cr3tvalue"}}')
        with pytest.raises(ConnectionClosed):
            connection.recv(30)
