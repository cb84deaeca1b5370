"""A running pool, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import count

import httpx
import pytest
import pytest_asyncio

from tests.contract.scenario import EXECUTE, Job
from tests.processes import PATIENCE_S, RunningServer
from tests.warm_servers import warm_server

_numbers = count()


SUBMITTING = (b"createJob", b"updateJob", b"archiveJob", b"submitFlow")


class OwnersOnly(httpx.Auth):
    """Shows an owner's token where jobs and flows are submitted or changed, and nowhere else."""

    requires_request_body = True

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        path = request.url.path.rstrip("/")
        mutates = path == "/graphql" and any(name in request.content for name in SUBMITTING)
        if request.method == "POST" and (path in ("/jobs", "/flows") or mutates):
            request.headers["authorization"] = f"Bearer {self._token}"
        yield request


@pytest.fixture(scope="session", params=["open", "tokens"])
def pool_server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A server that runs as long as the tests do, without tokens and with them: volunteers get the same answers of
    public jobs. What is different of private jobs is in `test_private_jobs.py`."""
    with warm_server("memory", options=("--auth", request.param, "--visibility", "public")) as server:
        yield server


@pytest.fixture
def pool_url(pool_server: RunningServer) -> str:
    """Its address, without a slash at its end."""
    return pool_server.url


@pytest_asyncio.fixture
async def client(pool_server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    auth = OwnersOnly(pool_server.operator_token) if "operatorLink" in pool_server.said else None
    async with httpx.AsyncClient(base_url=pool_server.url, timeout=PATIENCE_S, auth=auth) as opened:
        yield opened


@pytest_asyncio.fixture
async def job(client: httpx.AsyncClient) -> Job:
    """A job of this test's own."""
    number = next(_numbers)
    made = await client.post("/jobs", json={"name": f"Job number {number}", "execute_function": EXECUTE})
    assert made.status_code == 201, made.text
    return Job(client, f"job-number-{number}")


@pytest_asyncio.fixture
async def variable(job: Job) -> str:
    """The URL of a variable of that job."""
    return await job.variable({"data_field_one": {"foo": 1}}, id="test_limit_case")
