"""Subscriptions end with the token that they were opened with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import TypeVar

from resolvers.errors import Unauthenticated
from schema.machinery.context import Context

T = TypeVar("T")

LOOK_S = 0.5
"""How often the token is looked at, in seconds. What is known of it is cached, for all subscriptions of a process."""


async def while_known(stream: AsyncIterator[T], context: Context) -> AsyncGenerator[T, None]:
    """What a stream brings for as long as the pool knows who asks. Raises Unauthenticated once the token is revoked or
    has expired."""
    while True:
        coming = asyncio.ensure_future(_next(stream))
        try:
            while not coming.done():
                await asyncio.wait([coming], timeout=LOOK_S)
                if not (await context.principal()).token:
                    raise Unauthenticated("this session has ended: sign in again")
        except BaseException:
            await _give_up(coming, stream)
            raise
        brought = coming.result()
        if not brought:
            return
        try:
            yield brought[0]
        except BaseException:
            await _give_up(coming, stream)
            raise


async def _next(stream: AsyncIterator[T]) -> list[T]:
    """The next one; empty at the end."""
    async for each in stream:
        return [each]
    return []


async def _give_up(coming: asyncio.Future[list[T]], stream: AsyncIterator[T]) -> None:
    coming.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await coming
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()
