"""One worker, without its pool."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from sandbox import VALIDATION
from sandbox.frames import BrokenFrame
from sandbox.process import Worker


async def _talk_to_a_dead_worker() -> None:
    worker = await Worker.spawn(VALIDATION)
    await worker.stop()
    worker.send({"recycle": True})
    with pytest.raises(BrokenFrame):
        await worker.answer(10_000)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_worker_that_died_says_so_on_whatever_event_loop(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    run(_talk_to_a_dead_worker())
