"""A pool with the jobs `square` and `broken`, and a volunteer that computes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from comp_pool import PoolClient
from tests.processes import PATIENCE_S
from tests.volunteer.work import CREATE_JOB, CREATE_VARIABLES, SQUARE
from volunteer.calls import LeasedTask, PoolCalls, Report


async def fill(url: str) -> None:
    async with PoolClient(url) as client:
        await client.mutate(CREATE_JOB, name="Broken", executeFunction="() => { throw new Error('no'); }")
        await client.mutate(CREATE_JOB, name="Square", executeFunction=SQUARE)
        variables = [{"id": "two", "value": 2}, {"id": "three", "value": 3}]
        await client.mutate(CREATE_VARIABLES, job="square", variables=variables)


@contextmanager
def volunteer(url: str) -> Iterator[None]:
    """A host that computes flows' jobs while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_work(url, over)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_S)


async def _work(url: str, over: threading.Event) -> None:
    async with PoolClient(url) as client:
        calls, host = PoolCalls(client), ""
        while not over.is_set():
            claim = await calls.claim(host=host, name="", wanted={"first": 10})
            host = claim.host
            if claim.tasks:
                await calls.submit(host, [_computed(task) for task in claim.tasks])
            await asyncio.sleep(0.05)


def _computed(task: LeasedTask) -> Report:
    if task.job == "broken":
        return Report(task, 1, error="no")
    return Report(task, 1, value=task.variable**2, context=task.context)
