"""What flows cost is counted in operations of the store: it does not depend on how large they are."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from resolvers.flows import progress, reading
from resolvers.runtime import Runtime
from resolvers.volunteers import reports
from resolvers.volunteers.claims import ClaimRequest, claim
from sandbox import Sandbox
from storage import Flow, open_store
from tests.resolvers.flows.hive import open_pool, report, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import ALWAYS, below
from tests.resolvers.playing import Clock, process

SMALL = 10
LARGE = 2_000


class Lowest(random.Random):
    """Always starts a search at its beginning: none has to be wrapped around."""

    def random(self) -> float:
        return 0.0


@pytest_asyncio.fixture(loop_scope="session")
async def pool(embedded_uri: str, sandbox: Sandbox) -> AsyncIterator[Runtime]:
    """A pool on the embedded engine, whose indexes bear large flows."""
    async with open_store(embedded_uri.replace("?", f"test_{uuid4().hex}?", 1)) as store:
        # Its clock stands still: no cache grows old in between.
        runtime = await process(store.database, sandbox, Clock())
        await open_pool(runtime)
        yield runtime
        await runtime.close()


async def _flow(runtime: Runtime, root: Level) -> Flow:
    flow = await submit(runtime, root)
    await runtime.settled()
    return flow


async def _cycle(runtime: Runtime) -> Counter[str]:
    """The operations of claiming one task and reporting it, after another one: caches are warm."""
    usual, runtime.random = runtime.random, Lowest()
    for _ in range(2):
        with runtime.store.database.count() as operations:
            [claimed] = (await claim(runtime, ClaimRequest("ann"))).tasks
            [receipt] = await reports.submit(runtime, "ann", [report("ann", claimed)])
        assert receipt.problem is None
    runtime.random = usual
    return operations


@pytest.mark.parametrize(
    "job",
    [Job("number", "three"), Job("number", "three", condition=ALWAYS), Job("count", repeat=below(9))],
    ids=["plain", "if", "while"],
)
async def test_advancing_a_job_takes_as_many_operations_in_a_large_flow_as_in_a_small_one(
    pool: Runtime, job: Job
) -> None:
    await _flow(pool, Level([job] * SMALL))
    in_small = await _cycle(pool)
    # The rest of the small one is taken, so that only the large one is left.
    assert (await claim(pool, ClaimRequest("bob", 100))).tasks
    await _flow(pool, Level([job] * LARGE))
    assert await _cycle(pool) == in_small


async def test_looking_at_a_flow_takes_as_many_operations_whatever_its_size(pool: Runtime) -> None:
    for size in (SMALL, LARGE):
        flow = await _flow(pool, Level([Job("bare")], [Level([Job("number", "three")] * size)]))
        with pool.store.database.count() as operations:
            at = await progress.of_flow(pool, flow)
        assert at.total == size + 1
        assert operations == {"group_sum": 1, "count": 1}
        with pool.store.database.count() as operations:
            assert len(await reading.jobs_page(pool, flow, first=100)) == min(100, size + 1)
        assert operations == {"find": 1}
        with pool.store.database.count() as operations:
            await reading.tree(pool, flow)
        # The levels in one, and one for each page of jobs.
        assert operations == {"find": 1 + (size + 1) // reading.PAGE + 1}
