"""`--database memory`: a pool that leaves nothing behind, and is of any size."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.processes import HTTP, environment, processes_under, running_server, until

JOBS = 10_000
ONE = {"name": "one", "execute_function": "(variable, context) => { context.result = 1; return context; }"}
FLOW = "query ($key: String!) { flow(key: $key) { state progress { total byState { queued } } } }"


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_left_of_it(tmp_path: Path, workers: int) -> None:
    env = environment(tmp_path / "home") | {"TMPDIR": str(tmp_path)}
    with running_server("memory", workers=workers, env=env) as server:
        HTTP.post(f"{server.url}/jobs", json=ONE).raise_for_status()
        for _ in range(2 * workers):
            HTTP.get(f"{server.url}/jobs/one").raise_for_status()
        assert list(tmp_path.glob("comp-pool-*"))
        assert server.stop(signal.SIGTERM) == 0
    assert list(tmp_path.glob("comp-pool-*")) == []
    assert processes_under(tmp_path) == []


def test_a_flow_of_10_000_jobs_is_queued_and_others_are_answered_meanwhile() -> None:
    with running_server("memory") as server:
        HTTP.post(f"{server.url}/jobs", json=ONE).raise_for_status()
        flow: dict[str, Any] = {"jobs": [{"job": "one"}] * JOBS}
        submitted = HTTP.post(f"{server.url}/flows", json=flow, timeout=300).raise_for_status()
        key = submitted.headers["location"].rpartition("/")[2]

        def told() -> dict[str, Any]:
            found: dict[str, Any] = server.ask(FLOW, key=key)["flow"]
            return found

        until(lambda: told()["progress"]["byState"]["queued"] == JOBS, "all jobs are queued", patience_s=300)
        assert (told()["state"], told()["progress"]["total"]) == ("RUNNING", JOBS)
        claimed = server.ask('mutation { claimTasks(input: {first: 1, jobs: ["one"]}) { tasks { id } } }')
        assert len(claimed["claimTasks"]["tasks"]) == 1
