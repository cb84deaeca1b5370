"""A running pool, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count

import httpx
import pytest
import pytest_asyncio

from tests.contract.scenario import EXECUTE, Job
from tests.processes import PATIENCE_S, running_server

_numbers = count()


@pytest.fixture(scope="session")
def pool_url() -> Iterator[str]:
    """The address of a server that runs as long as the tests do, without a slash at its end."""
    with running_server("memory") as server:
        yield server.url


@pytest_asyncio.fixture
async def client(pool_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pool_url, timeout=PATIENCE_S) as opened:
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
