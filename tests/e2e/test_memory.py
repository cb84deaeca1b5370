"""`--database memory`: a pool that leaves nothing behind, and is of any size."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.processes import HTTP, environment, processes_under, running_server

JOBS = 10_000
FLOW = "query ($key: String!) { flow(key: $key) { state jobCount progress { total byState { queued } } } }"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_flow_of_10_000_jobs_is_taken_and_others_are_answered_meanwhile(tmp_path: Path, workers: int) -> None:
    env = environment(tmp_path / "home") | {"TMPDIR": str(tmp_path)}
    with running_server("memory", workers=workers, env=env) as server:
        made = {"name": "one", "execute_function": "(variable, context) => { context.result = 1; return context; }"}
        HTTP.post(f"{server.url}/jobs", json=made).raise_for_status()
        flow: dict[str, Any] = {"jobs": [{"job": "one"}] * JOBS}
        submitted = HTTP.post(f"{server.url}/flows", json=flow, timeout=300).raise_for_status()
        key = submitted.headers["location"].rpartition("/")[2]
        told = server.ask(FLOW, key=key)["flow"]
        assert (told["state"], told["jobCount"], told["progress"]["byState"]["queued"]) == ("RUNNING", JOBS, JOBS)
        claimed = server.ask('mutation { claimTasks(input: {first: 1, jobs: ["one"]}) { tasks { id } } }')
        assert len(claimed["claimTasks"]["tasks"]) == 1
        assert [name for name in os.listdir(tmp_path) if name.startswith("comp-pool-")]
        assert server.stop(signal.SIGTERM) == 0
    assert [name for name in os.listdir(tmp_path) if name.startswith("comp-pool-")] == []
    assert processes_under(tmp_path) == []
