"""A small pool, its facade and a client of it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.rest_compat.small_pool.facade import facade_of
from tests.rest_compat.small_pool.types import Pool


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest_asyncio.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(facade_of(pool))
    async with httpx.AsyncClient(transport=transport, base_url="http://pool.example") as opened:
        yield opened


@pytest_asyncio.fixture
async def job(client: httpx.AsyncClient) -> str:
    """The path of a job."""
    await client.post("/jobs", json={"name": "Pi", "execute_function": "x => x"})
    return "/jobs/pi"


@pytest_asyncio.fixture
async def variable(client: httpx.AsyncClient, job: str) -> str:
    """The path of a variable of that job."""
    await client.post(f"{job}/variables", json={"data_field_one": {"foo": 1}}, params={"id": "test_limit_case"})
    return f"{job}/variables/test_limit_case"
