"""`comp-pool work` and `comp-pool load` as processes against a real server."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.jobs import ENDLESS, job_file
from tests.processes import PATIENCE_S, RunningServer, run, started, until
from tests.warm_servers import warm_server


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_volunteers_compute_what_was_loaded_at_quorum_2(
    pool_server: RunningServer, tmp_path: Path, home: dict[str, str]
) -> None:
    file = job_file(tmp_path, range(40), policy={"quorum": 2})
    loaded = run("load", str(file), "--url", pool_server.url, "--json")
    assert json.loads(loaded.stdout)["variables"] == 40
    work = ["work", pool_server.url, "--json", "--concurrency", "1"]
    with started(*work, env=home) as one, started(*work, env=home) as other:
        until(lambda: pool_server.counts("work")["done"] == 40, "every variable has its canonical result")
        said = []
        for volunteer in (one, other):
            volunteer.send_signal(signal.SIGINT)
            output, _ = volunteer.communicate(timeout=PATIENCE_S)
            assert volunteer.returncode == 0
            said.append(events(output)[-1])
    assert [each["event"] for each in said] == ["summary", "summary"]
    assert sum(each["submitted"] for each in said) == 80
    assert pool_server.ask("{ pool { status { hosts } } }")["pool"]["status"]["hosts"] == 2


def test_a_volunteer_is_the_same_host_the_next_time_unless_told_to_be_a_new_one(
    pool_server: RunningServer, tmp_path: Path, home: dict[str, str]
) -> None:
    file = job_file(tmp_path, [1, 2, 3])
    run("load", str(file), "--url", pool_server.url)
    work = ["work", pool_server.url, "--json", "--concurrency", "1", "--max-tasks", "1"]
    hosts = [
        next(each["host"] for each in reversed(events(run(*work, *more, env=home).stdout)) if "host" in each)
        for more in ([], [], ["--new-host"])
    ]
    assert hosts[0] == hosts[1] != hosts[2]


def test_without_a_terminal_it_tells_in_plain_lines(
    pool_server: RunningServer, tmp_path: Path, home: dict[str, str]
) -> None:
    run("load", str(job_file(tmp_path, [1, 2])), "--url", pool_server.url)
    ended = run("work", pool_server.url, "--until-idle", env=home)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1].startswith("done: 2 results")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_gives_back_what_is_not_computed(
    pool_server: RunningServer, tmp_path: Path, home: dict[str, str], number: int
) -> None:
    run("load", str(job_file(tmp_path, range(5), source=ENDLESS)), "--url", pool_server.url)
    with started("work", pool_server.url, "--concurrency", "1", env=home) as volunteer:
        until(lambda: pool_server.tasks()["leased"], "a task is leased")
        volunteer.send_signal(number)
        assert volunteer.wait(60) == 0
    until(lambda: pool_server.tasks() == {"ready": 5, "leased": 0, "reported": 0, "expired": 0}, "all are ready again")


def test_what_is_not_a_pool_is_said_so(home: dict[str, str], pool_server: RunningServer) -> None:
    ended = run("work", f"{pool_server.url}/jobs", env=home)
    assert ended.returncode == 1
    assert f"no comp-pool answers at {pool_server.url}/jobs" in ended.stderr.splitlines()[-1]


def test_a_server_that_is_killed_in_the_middle_of_a_load_loses_nothing_and_the_work_is_finished(
    tmp_path: Path, home: dict[str, str]
) -> None:
    """The load and the volunteers go on by themselves once a server listens on the same address again."""
    count, rounds = 800, 2
    # What the killed server handed out comes back soon.
    file = job_file(tmp_path, range(count), policy={"delayBoundSeconds": 5})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (
        started("load", str(file), "--url", url, "--json") as loading,
        started("work", url, "--concurrency", "1", env=home),
    ):
        acknowledged = 0
        for _ in range(rounds):
            with warm_server(tmp_path / "pool", port=port) as server:
                until(lambda: _loaded(server) > acknowledged or loading.poll() is not None, "more is loaded")  # noqa: B023
                acknowledged = _loaded(server)
                server.stop(signal.SIGKILL)
        with warm_server(tmp_path / "pool", port=port) as server:
            assert _loaded(server) >= acknowledged
            output, _ = loading.communicate(timeout=PATIENCE_S)
            assert loading.returncode == 0, output
            assert _loaded(server) == count
            until(lambda: server.counts("work")["done"] == count, "every variable is computed", 240)
            assert sum(server.counts("work").values()) == count


def _loaded(server: RunningServer) -> int:
    job = server.ask("{ jobs(first: 1) { nodes { key } } }")["jobs"]["nodes"]
    return sum(server.counts("work").values()) if job else 0


def test_a_volunteer_keeps_its_results_while_the_server_restarts(tmp_path: Path, home: dict[str, str]) -> None:
    slow = "(v, c) => { const end = Date.now() + 2000; while (Date.now() < end); c.result = v; return c; }"
    work = ["--max-tasks", "2", "--concurrency", "1", "--json"]
    with warm_server(tmp_path / "pool") as server:
        run("load", str(job_file(tmp_path, [1, 2], source=slow)), "--url", server.url)
        with started("work", server.url, *work, env=home) as volunteer:
            assert volunteer.stdout
            line = volunteer.stdout.readline
            assert until(lambda: '"computed"' in line(), "it has computed one, and claimed the other")
            server.stop(signal.SIGKILL)
            assert until(lambda: '"computed"' in line(), "it has a result that it can't post")
            with warm_server(tmp_path / "pool", port=server.port) as restarted:
                assert volunteer.wait(60) == 0
                assert restarted.counts("work")["done"] == 2
                found = restarted.ask(RESULTS)["job"]["variables"]["nodes"]
                assert [len(each["results"]["nodes"]) for each in found] == [1, 1]


RESULTS = """{ job(key: "work") { variables(first: 2) { nodes { results(first: 9) { nodes { value } } } } } }"""
