"""The event loop is everybody's: work that grows with what was sent goes to a thread, and long loops give way."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from time import perf_counter
from typing import TypeVar

from sandbox.turns import Turns

LIGHT = 20_000
"""What the loop does itself: work over as many bytes of JSON, which takes 5 ms at most."""
STRETCH_S = 0.005
"""How long a loop over many things goes on before others have their turn."""

S = TypeVar("S")
T = TypeVar("T")

asking: ContextVar[str] = ContextVar("asking", default="")
"""The address group that the present request comes from."""

# One thread: the loop has at least half of the interpreter, however many wait here.
_thread = ThreadPoolExecutor(1, "aside")
_turns = Turns(1)


async def aside(work: Callable[..., T], *arguments: object, weight: int) -> T:
    """What `work(*arguments)` returns, done in a thread if it is heavy: address groups have turns there. It must call
    nothing of the loop's.

    Args:
        weight: about how many bytes of JSON it works over.
    """
    if weight <= LIGHT:
        return work(*arguments)
    call = partial(copy_context().run, _without_collector, work, *arguments)
    async with _turns.of(asking.get()):
        return await asyncio.get_running_loop().run_in_executor(_thread, call)


def _without_collector(work: Callable[..., T], *arguments: object) -> T:
    """The collector of cycles would look again and again at a large value while it is made."""
    gc.disable()
    try:
        return work(*arguments)
    finally:
        gc.enable()


class _Stretch:
    """How long the loop has been at what it does now."""

    def __init__(self) -> None:
        self.began = 0.0
        self.noted = False

    def note(self) -> None:
        self.began = perf_counter()
        self.noted = False


_stretch = _Stretch()


async def give_way() -> None:
    """Let others have their turn if the loop has done this, and what else it had to do in its present round, for
    `STRETCH_S`."""
    while perf_counter() - _stretch.began > STRETCH_S:
        if not _stretch.noted:
            _stretch.noted = True
            # It comes before whoever waits for the next round.
            asyncio.get_running_loop().call_soon(_stretch.note)
        await asyncio.sleep(0)


async def each_in_turn(make: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """What `make` makes of each item, in order; others have their turn meanwhile."""
    made = list[T]()
    for item in items:
        await give_way()
        made.append(make(item))
    return made
