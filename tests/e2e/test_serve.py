"""`comp-pool serve` as a process: how it starts, refuses to start, and ends."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pymongo import MongoClient

from server.serving import url_of
from tests.processes import (
    HTTP,
    PATIENCE_S,
    RunningServer,
    command,
    command_line,
    descendants,
    is_alive,
    processes_under,
    run,
    running_server,
    started,
    until,
)

WORKERS = pytest.mark.parametrize("workers", [1, 2])


def test_it_says_where_it_listens_and_is_ready_then(pool_server: RunningServer) -> None:
    assert HTTP.get(f"{pool_server.url}/readyz").json() == {"ready": True}
    assert HTTP.get(f"{pool_server.url}/livez").status_code == 204
    assert HTTP.get(pool_server.url).json()["job_scheduler_url"] == "/jobs/scheduler"


def test_without_json_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    with started("serve", "--port", "0", "--database", "memory", "--sandbox-workers", "1") as process:
        assert process.stdout
        line = process.stdout.readline()
        assert re.fullmatch(
            r"comp-pool is listening on http://127\.0\.0\.1:\d+ \(store: memory\)\. Ctrl-C stops it\.\n", line
        )


@WORKERS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_with_exit_code_0_and_all_its_processes(
    tmp_path: Path, workers: int, number: int
) -> None:
    with running_server(tmp_path / "pool", workers=workers) as server:
        family = descendants(server.process.pid)
        assert len(family) > workers
        assert server.stop(number) == 0
    assert [each for each in family if is_alive(each)] == []
    assert processes_under(tmp_path) == []


def test_while_it_drains_it_is_not_ready_and_hands_out_nothing(tmp_path: Path) -> None:
    claim = "mutation { claimTasks(input: {}) { whyNoWork } }"
    with running_server(tmp_path / "pool", options=["--drain-seconds", "600"]) as server:
        assert server.ask(claim)["claimTasks"]["whyNoWork"] == "NO_OPEN_WORK"
        server.process.terminate()
        until(lambda: HTTP.get(f"{server.url}/readyz").status_code == 503, "it is unready")
        assert server.ask(claim)["claimTasks"]["whyNoWork"] == "DRAINING"
        server.process.terminate()  # A second signal does not wait.
        assert server.process.wait(PATIENCE_S) == -signal.SIGTERM


@WORKERS
def test_killed_it_leaves_nothing_behind_and_another_one_starts_on_its_directory_at_once(
    tmp_path: Path, workers: int
) -> None:
    with running_server(tmp_path / "pool", workers=workers) as server:
        family = descendants(server.process.pid)
        server.stop(signal.SIGKILL)
        with running_server(tmp_path / "pool", workers=workers) as next_one:
            assert HTTP.get(f"{next_one.url}/readyz").status_code == 200
        until(lambda: not any(map(is_alive, family)), "its processes are gone")


def test_a_server_process_that_dies_is_replaced(tmp_path: Path) -> None:
    def servers() -> list[int]:
        return [each.pid for each in descendants(parent) if "server.process" in command_line(each)]

    with running_server(tmp_path / "pool", workers=2) as server:
        parent = server.process.pid
        before = servers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(servers()) - set(before)) == 1, "there is another process")
        assert HTTP.get(f"{server.url}/readyz").status_code == 200
        assert server.stop() == 0


def test_server_processes_share_one_store(tmp_path: Path) -> None:
    create = 'mutation { createJob(input: {name: "Work", executeFunction: "x => x"}) { userErrors { message } } }'
    with running_server(tmp_path / "pool", workers=2) as server:
        assert server.ask(create) == {"createJob": {"userErrors": []}}
        for _ in range(10):  # A new connection each, which any of the processes takes.
            assert HTTP.get(f"{server.url}/jobs/work").status_code == 200


def test_a_directory_that_another_server_has_is_refused(pool_server: RunningServer, tmp_path: Path) -> None:
    for ended in _served_at_once("--database", str(tmp_path / "pool")):
        assert ended.returncode == 1
        assert "Another server uses" in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr


def test_an_address_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = url_of(taken).rpartition(":")[2]
        ended = run("serve", "--port", port, "--database", str(tmp_path / "pool"))
    assert (ended.returncode, ended.stderr) == (
        1,
        f"Error: can't listen on 127.0.0.1 port {port}: Address already in use\n",
    )
    assert not (tmp_path / "pool").exists()


def test_data_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "pool"):
        socket_path = str(tmp_path / "pool" / "run" / "pool.sock").replace("/", "%2F")
        with MongoClient(f"mongodb://{socket_path}/") as client:  # type: ignore[var-annotated]
            client["comp_pool"]["meta"].update_one({"_id": "schema"}, {"$set": {"version": 999}})
    ended = run("serve", "--port", "0", "--database", str(tmp_path / "pool"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The database has schema version 999")


def test_a_database_that_does_not_answer_is_said_so() -> None:
    for ended in _served_at_once("--database", "mongodb://someone:secret@127.0.0.1:1/?serverSelectionTimeoutMS=100"):
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1] == (
            "Error: The database did not answer for 10 s: 127.0.0.1:1: [Errno 111] Connection refused"
        )
        assert "secret" not in ended.stderr + ended.stdout


def _served_at_once(*options: str) -> Iterator[subprocess.CompletedProcess[str]]:
    """How a server of one process ends, and one of two: side by side, as they wait."""
    with ThreadPoolExecutor() as pool:
        yield from pool.map(lambda workers: run("serve", "--port", "0", "--workers", workers, *options), ("1", "2"))


@WORKERS
def test_an_unknown_scheduler_is_refused_with_the_names_of_those_there_are(tmp_path: Path, workers: int) -> None:
    database = str(tmp_path / "pool")
    ended = run("serve", "--port", "0", "--database", database, "--scheduler", "newest", "--workers", str(workers))
    assert ended.returncode == 1
    assert "there are: oldest, owners, random, shortest" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_console_script_is_the_same_command() -> None:
    assert command("--version")
    assert run("--version").stdout.startswith("comp-pool, version ")
