"""A pool for commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.cli.square_pool import fill
from tests.warm_servers import warm_server


@pytest.fixture(scope="module")
def pool() -> Iterator[str]:
    """The address of a pool with the jobs `square` and `broken`."""
    with warm_server("memory") as server:
        asyncio.run(fill(server.url))
        yield server.url
