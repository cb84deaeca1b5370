"""Two processes over one pool."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage import Store
from tests.resolvers.flows.hive import open_pool
from tests.runtimes import start_runtime


@pytest_asyncio.fixture(loop_scope="session")
async def runtime(store: Store, sandbox: Sandbox) -> AsyncIterator[Runtime]:
    """A server process under the real time, which revisions are made of."""
    started = await start_runtime(store, sandbox)
    await open_pool(started)
    yield started
    await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(runtime: Runtime) -> AsyncIterator[Runtime]:
    """Another one on the same store."""
    started = await start_runtime(Store(runtime.store.database), runtime.sandbox)
    yield started
    await started.close()
