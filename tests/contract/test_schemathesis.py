"""Generated requests find no difference between the pool and its descriptions.

The seed is fixed: what is found is found again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from schema.schema import sdl
from tests.contract.scenario import EXECUTE
from tests.processes import PATIENCE_S
from tests.warm_servers import warm_server

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"

schemathesis.graphql.scalar("JSON", st.integers().map(nodes.Int) | st.text(max_size=20).map(nodes.String))


@dataclass(frozen=True, slots=True)
class BusyPool:
    """A pool with a job, a variable, a result and a flow, so that generated requests meet something."""

    url: str
    headers: dict[str, str]
    """What is sent with each request."""


@pytest.fixture(scope="module", params=["open", "without a token", "with a token"])
def busy_pool(request: pytest.FixtureRequest) -> Iterator[BusyPool]:
    mode = "open" if request.param == "open" else "tokens"
    with (
        warm_server("memory", options=("--auth", mode)) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client,
    ):
        token = {"authorization": f"Bearer {server.operator_token}"} if mode == "tokens" else {}
        client.headers.update(token)
        job = client.post("/jobs", json={"name": "Example job", "execute_function": EXECUTE}).headers["location"]
        given = {"data_field_one": {"foo": 1}}
        variable = client.post(f"{job}/variables?id=one", json=given).headers["location"]
        client.post(f"{variable}/results", json={"sum": 2}).raise_for_status()
        client.post("/flows", json={"jobs": [{"job": "example-job"}]}).raise_for_status()
        yield BusyPool(server.url, token if request.param == "with a token" else {})


def test_all_checks_of_schemathesis_find_nothing_in_the_pools_openapi(busy_pool: BusyPool, tmp_path: Path) -> None:
    _check_all(busy_pool, tmp_path, examples=3)


@pytest.mark.soak
def test_all_checks_of_schemathesis_find_nothing_with_many_examples(busy_pool: BusyPool, tmp_path: Path) -> None:
    _check_all(busy_pool, tmp_path, examples=100)


def _check_all(pool: BusyPool, directory: Path, *, examples: int) -> None:
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "--no-color", "--config-file", str(CONFIGURATION), "run", f"{pool.url}/openapi.json"]
    options = ["--checks", "all", "--max-examples", str(examples)]
    options += [option for name, value in pool.headers.items() for option in ("--header", f"{name}: {value}")]
    done = subprocess.run(
        [*command, *options], cwd=directory, capture_output=True, text=True, timeout=50 * examples, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 0" not in done.stdout


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@seed(20141202)
@given(case=schemathesis.graphql.from_file(sdl()).as_strategy())
def test_generated_operations_of_the_graphql_schema_are_no_fault_of_the_pool(
    busy_pool: BusyPool, case: schemathesis.Case[Any]
) -> None:
    answer = case.call(base_url=f"{busy_pool.url}/graphql", headers=busy_pool.headers)
    assert answer.status_code < 500
    codes = [error.get("extensions", {}).get("code") for error in answer.json().get("errors", ())]
    assert "INTERNAL" not in codes, answer.text
