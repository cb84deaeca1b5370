"""A pool in this process, and a client of it that needs no network."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from comp_pool import PoolClient
from server.app import Service, application
from server.settings import Settings


@pytest_asyncio.fixture
async def pool_transport() -> AsyncIterator[httpx.ASGITransport]:
    """The way to an empty pool in memory."""
    settings = Settings(database="mock", sandbox_workers=1)
    service = Service(settings)
    async with service.running():
        yield httpx.ASGITransport(application(service, settings))


@pytest_asyncio.fixture
async def client(pool_transport: httpx.ASGITransport) -> AsyncIterator[PoolClient]:
    async with PoolClient("http://pool.example", transport=pool_transport) as opened:
        yield opened
