"""A volunteer to its end, and a network on which something may happen to its calls."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import orjson

from comp_pool import PoolClient
from volunteer import Event, Identity, Options, Volunteer, forgotten

UNTIL_IDLE = Options(until_idle=True, longest_wait_s=0.2)
DEADLINE_S = 120.0
POOL_URL = "http://pool.example"

Handle = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Network(httpx.AsyncBaseTransport):
    """The way to the pool, on which something may happen to the requests of one kind."""

    def __init__(
        self,
        pool: httpx.AsyncBaseTransport,
        query: str,
        happens: Callable[[httpx.Request, Handle], Awaitable[httpx.Response]],
    ) -> None:
        self._pool = pool
        self._query = query
        self._happens = happens

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._query in orjson.loads(request.content)["query"]:
            return await self._happens(request, self._pool.handle_async_request)
        return await self._pool.handle_async_request(request)


async def compute(
    client: PoolClient, options: Options = UNTIL_IDLE, *, identity: Identity | None = None, tamper: bool = False
) -> list[Event]:
    """What a volunteer told until it ended by itself."""
    events: list[Event] = []
    volunteer = Volunteer(
        client,
        identity or forgotten(),
        options,
        tell=events.append,
        tamper=(lambda value: [value, "tampered with"]) if tamper else None,
    )
    async with asyncio.timeout(DEADLINE_S):
        await volunteer.run(asyncio.Event())
    return events


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]
