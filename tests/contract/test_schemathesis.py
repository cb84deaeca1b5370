"""Generated requests find no difference between the pool and its descriptions.

The seeds are fixed: what is found is found again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.scenario import EXECUTE
from tests.pool_server import running_pool

SEED = "20141202"
EXAMPLES = "40"
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def busy_pool() -> Iterator[str]:
    """A pool with a job, a variable, a result and a flow, so that generated requests meet something."""
    with running_pool() as url, httpx.Client(base_url=url) as client:
        job = client.post("/jobs", json={"name": "Example job", "execute_function": EXECUTE}).headers["location"]
        given = {"data_field_one": {"foo": 1}}
        variable = client.post(f"{job}/variables?id=one", json=given).headers["location"]
        client.post(f"{variable}/results", json={"sum": 2}).raise_for_status()
        client.post("/flows", json={"jobs": [{"job": "example-job"}]}).raise_for_status()
        yield url


def schemathesis(tmp_path: Path, description: str, *options: str) -> str:
    """Runs it and returns what it says; the test fails with that when it finds anything."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", description]
    limits = ["--seed", SEED, "--max-examples", EXAMPLES, "--generation-database", "none", "--no-color"]
    done = subprocess.run(
        [*command, *limits, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_schemathesis_finds_nothing_in_the_openapi_of_the_pool(busy_pool: str, tmp_path: Path) -> None:
    said = schemathesis(
        tmp_path, f"{busy_pool}/openapi.json", "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"
    )
    assert "No issues found" in said


def test_schemathesis_finds_no_server_error_in_the_graphql_schema(busy_pool: str, tmp_path: Path) -> None:
    said = schemathesis(tmp_path, f"{busy_pool}/graphql", "--checks", "not_a_server_error")
    assert "No issues found" in said
    assert json.loads(httpx.get(f"{busy_pool}/readyz").text)["ready"]
