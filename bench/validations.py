"""Validations a second through the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.pools import VALIDATE
from sandbox import Function, Sandbox

FUNCTION = Function(VALIDATE, ("variable", "result", "context"))
CALL = ('{"x":21}', "42", '{"phase":"result"}')
OWNERS = 4
PER_SECOND = "validations/s"


def validations(count: int) -> Iterator[Figure]:
    """Figures of `count` validations each: one a call, and 50 a call, as results that arrive together are judged."""
    single = asyncio.run(_rate(count, 1))
    batched = asyncio.run(_rate(count, 50))
    yield Figure("one validation a call", single, PER_SECOND)
    yield Figure("50 validations a call, time over one a call", batched, PER_SECOND, single / batched)


async def _rate(count: int, at_once: int) -> float:
    calls = [CALL] * at_once

    async def owner(name: str) -> None:
        for _ in range(count // at_once // OWNERS):
            await sandbox.run(FUNCTION, calls, owner=name)

    async with Sandbox(workers=2) as sandbox:
        await owner("warm up")
        began = time.perf_counter()
        await asyncio.gather(*(owner(f"owner {number}") for number in range(OWNERS)))
        return count / (time.perf_counter() - began)
