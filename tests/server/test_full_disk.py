"""A disk that fills up: work ends first, then results wait; once there is room, all is well again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import RunningServer, running_server, until
from tests.warm_servers import warm_server

DISK_BYTES = 24_000_000
LOW_BYTES = 8_000_000
FULL_BYTES = 4_000_000
JOB = {"name": "Work", "execute_function": "x => x"}
CLAIM = """mutation ($host: String) { claimTasks(input: {host: $host}) {
  host tasks { id lease { token } } userErrors { code retryAfterSeconds } } }"""
SUBMIT = """mutation ($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict } userErrors { code retryAfterSeconds } } }"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    try:
        subprocess.run(
            [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def taken_up(disk: Path, left: int) -> Iterator[None]:
    """A disk on which so many bytes are free, or none."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            while (free := shutil.disk_usage(disk).free - left) > 0:
                file.write(b"\0" * min(free, 1 << 20))
        yield
    finally:
        ballast.unlink()


def ready(pool: RunningServer) -> httpx.Response:
    return httpx.get(f"{pool.url}/readyz")


def is_ready(pool: RunningServer) -> bool:
    return ready(pool).status_code == 200


def claimed(pool: RunningServer, host: str | None = None) -> dict[str, Any]:
    payload: dict[str, Any] = pool.ask(CLAIM, host=host)["claimTasks"]
    return payload


def submitted(pool: RunningServer, host: str, task: dict[str, Any]) -> dict[str, Any]:
    report = {"task": task["id"], "lease": task["lease"]["token"], "value": 1}
    payload: dict[str, Any] = pool.ask(SUBMIT, input={"host": host, "results": [report]})["submitResults"]
    return payload


@pytest.mark.parametrize("workers", [1, 2])
def test_work_ends_before_results_do(disk: Path, workers: int) -> None:
    marks = ("--low-disk-bytes", str(LOW_BYTES), "--full-disk-bytes", str(FULL_BYTES))
    with running_server(str(disk / "pool"), workers=workers, options=marks) as pool:
        httpx.post(f"{pool.url}/jobs", json=JOB).raise_for_status()
        for value in range(3):
            httpx.post(f"{pool.url}/jobs/work/variables", json=value).raise_for_status()
        first = claimed(pool)
        second = claimed(pool, first["host"])
        with taken_up(disk, (LOW_BYTES + FULL_BYTES) // 2):
            until(lambda: not any(is_ready(pool) for _ in range(20)), "the pool's processes notice")
            assert (ready(pool).json()["reason"], ready(pool).headers["retry-after"]) == ("disk", "30")
            for path, body in (
                ("/jobs", JOB | {"name": "More"}),
                ("/jobs/work/variables", 1),
                ("/flows", {"jobs": []}),
            ):
                refused = httpx.post(f"{pool.url}{path}", json=body)
                assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE"), path
                assert refused.headers["retry-after"] == "30"
            assert claimed(pool, first["host"])["userErrors"] == [{"code": "UNAVAILABLE", "retryAfterSeconds": 30}]
            assert submitted(pool, first["host"], first["tasks"][0])["userErrors"] == []
        with taken_up(disk, FULL_BYTES // 2):
            refusal = {"results": [], "userErrors": [{"code": "UNAVAILABLE", "retryAfterSeconds": 30}]}
            until(lambda: submitted(pool, first["host"], second["tasks"][0]) == refusal, "results are refused too")
            assert httpx.get(f"{pool.url}/jobs/work").status_code == 200
        # Each process notices by itself.
        taken = [{"verdict": "CANONICAL"}]
        until(lambda: submitted(pool, first["host"], second["tasks"][0])["results"] == taken, "the result is taken")
        until(lambda: httpx.post(f"{pool.url}/jobs", json=JOB | {"name": "More"}).is_success, "work is taken")
        until(lambda: claimed(pool, first["host"])["tasks"], "work is handed out")


def test_what_the_engine_can_not_store_is_unavailable_until_there_is_room(disk: Path) -> None:
    with warm_server(str(disk / "pool"), options=("--low-disk-bytes", "0", "--full-disk-bytes", "0")) as pool:
        httpx.post(f"{pool.url}/jobs", json=JOB).raise_for_status()
        httpx.post(f"{pool.url}/jobs/work/variables", json=1).raise_for_status()
        held = claimed(pool)
        with taken_up(disk, 0):
            create = 'mutation { createJob(input: {name: "More", executeFunction: "x => x"}) { job { key } } }'
            document = {"query": create}
            refused = httpx.post(f"{pool.url}/graphql", json=document).json()
            assert [each["extensions"]["code"] for each in refused["errors"]] == ["UNAVAILABLE"]
            for path, body in (("/jobs", JOB | {"name": "More"}), ("/jobs/work/variables", "x" * 900_000)):
                answer = httpx.post(f"{pool.url}{path}", json=body, timeout=60)
                assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE"), path
                assert "retry-after" in answer.headers
            assert httpx.get(f"{pool.url}/jobs/work").status_code == 200
        httpx.post(f"{pool.url}/jobs", json=JOB | {"name": "More"}).raise_for_status()
        httpx.post(f"{pool.url}/jobs/work/variables", json="x" * 900_000).raise_for_status()
        assert submitted(pool, held["host"], held["tasks"][0])["results"] == [{"verdict": "CANONICAL"}]
