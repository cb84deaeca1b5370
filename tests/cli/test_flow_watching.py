"""`comp-pool flow watch`: what it prints until a flow ends, and with which exit code."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from comp_pool import PoolUnavailable
from comp_pool.flows import FlowUpdate
from tests.cli.flow_command import BROKEN, ONE, TREE, key_of, lines, run, submit
from tests.cli.square_pool import fill, volunteer
from tests.processes import PATIENCE_S, started
from tests.warm_servers import warm_server


def test_watching_ends_with_the_result_and_exit_code_0(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, TREE, "--watch")
    assert watched.exit_code == 0, watched.output
    first, *progress, opening, last, closing = watched.stdout.splitlines()
    assert first.endswith("(jobs: 3, levels: 2)")
    assert [opening, last, closing] == ["{", '  "last": 9', "}"]
    assert progress[-1] == "COMPLETED: 100% of 3 (3 completed)"
    for line in progress:
        assert re.fullmatch(r"(RUNNING|COMPLETED): \d+% of 3 \((\d+ \w+(, )?)+\)(: .+)?", line), line
    assert len(set(progress)) == len(progress)


def test_programs_that_watch_get_a_line_for_each_update(pool: str) -> None:
    with volunteer(pool):
        stored, *deltas = lines(submit(pool, ONE, "--watch", "--json"))
    assert stored["jobCount"] == 1
    assert deltas[0]["reset"]
    assert {each["flow"]["key"] for each in deltas} == {stored["key"]}
    assert (deltas[-1]["state"], deltas[-1]["flow"]["result"]) == ("COMPLETED", {"square": 9})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_watching_a_flow_that_fails_ends_with_exit_code_1(pool: str, options: Sequence[str]) -> None:
    with volunteer(pool):
        watched = submit(pool, BROKEN, "--watch", *options)
    assert watched.exit_code == 1
    if options:
        assert lines(watched)[-1]["state"] == "FAILED"
        assert watched.stderr == ""
    else:
        why, end = watched.stderr.splitlines()
        assert why.startswith("job 0, broken, failed: its failed results reached")
        assert end.startswith("FAILED: its job 'broken' failed: ")
        assert "whyWaiting" not in watched.stdout


def test_a_flow_that_went_on_without_a_job_says_why_that_failed(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, {**BROKEN, "onFailure": "CONTINUE"}, "--watch")
    assert (watched.exit_code, watched.stdout.splitlines()[-1]) == (0, "{}")
    assert watched.stderr.endswith("the last one: the computation failed: no\n")


def test_without_a_terminal_it_is_said_what_a_flow_waits_for(pool: str) -> None:
    key = key_of(submit(pool, {**ONE, "owner": "somebody"}))
    with started("flow", "watch", key, "--url", pool) as watching:
        assert watching.stdout is not None
        line = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate(timeout=PATIENCE_S)
    assert line.startswith("RUNNING: 0% of 1 (1 queued): ")
    assert "volunteer" in line
    assert watching.returncode == 130
    assert f"watch it with `comp-pool flow watch {key}`" in said
    assert run(pool, "cancel", key).exit_code == 0


def test_a_pool_that_is_lost_for_good_is_no_flow_that_failed(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_lost(*_: object, **__: object) -> AsyncIterator[FlowUpdate]:
        for problem in [PoolUnavailable("it is gone")]:
            raise problem
        yield FlowUpdate({}, None)

    monkeypatch.setattr("cli.flow_watching.watch_flow", is_lost)
    watched = run(pool, "watch", "0" * 32)
    assert watched.exit_code == 3
    assert watched.stderr.startswith("Error: it is gone. The flow may go on: watch it with")


def test_a_lost_connection_is_told_and_taken_up_again(tmp_path: Path) -> None:
    with warm_server(tmp_path / "pool") as first:
        asyncio.run(fill(first.url))
        key = key_of(submit(first.url, ONE))
        with started("flow", "watch", key, "--url", first.url) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            first.stop(signal.SIGKILL)
            assert watching.stdout.readline().endswith("; trying again\n")
            with warm_server(tmp_path / "pool", port=first.port) as second, volunteer(second.url):
                said, _ = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 0
    assert said.endswith('{\n  "square": 9\n}\n')


def test_a_flow_can_be_watched_after_its_end(pool: str) -> None:
    with volunteer(pool):
        key = key_of(submit(pool, ONE, "--watch"))
    watched = run(pool, "watch", key)
    assert watched.exit_code == 0
    assert watched.stdout == 'COMPLETED: 100% of 1 (1 completed)\n{\n  "square": 9\n}\n'
    cancelled = key_of(submit(pool, ONE))
    run(pool, "cancel", cancelled)
    watched = run(pool, "watch", cancelled)
    assert (watched.exit_code, watched.stderr) == (1, "CANCELLED: its owner cancelled it\n")


def test_at_a_terminal_the_tree_is_drawn_with_a_bar_for_each_level(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, TREE, "--watch")
        drawn = run(pool, "watch", key_of(watched), env={"FORCE_COLOR": "1", "COLUMNS": "120"})
    assert drawn.exit_code == 0
    assert "COMPLETED" in drawn.stdout
    assert "100% of 3" in drawn.stdout
    assert "2 completed" in drawn.stdout
    assert "━" in drawn.stdout
    assert drawn.stdout.endswith('{\n  "last": 9\n}\n')
