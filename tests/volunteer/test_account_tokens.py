"""A volunteer with an account's token, and what becomes of its results when the pool does not take that any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from comp_pool import ErrorCode, PoolClient, PoolRefused
from resolvers.owners import variables
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import OWNER, AccessPool, access_pool
from tests.volunteer.running import POOL_URL, Network, compute, of_kind
from volunteer import Event, Judged, Lost, Warned

COUNT = 6


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        await running.mutate("owner", "createJob", "", name="Doubled", executeFunction=DOUBLE)
        values = [variables.NewVariable(n, f"v{n}") for n in range(COUNT)]
        await variables.create_many(running.runtime, "doubled", values, principal=OWNER)
        await running.mutate("owner", "archiveJob", "", job="work")
        yield running


async def computed(pool: AccessPool, token: str, query: str, first: Callable[[], Awaitable[object]]) -> list[Event]:
    """What a volunteer with this token told. `first` is called before the first call of a kind reaches the pool."""
    waiting = [first]

    async def happens(request: httpx.Request, handle: Callable[..., Awaitable[httpx.Response]]) -> httpx.Response:
        while waiting:
            await waiting.pop()()
        return await handle(request)

    network = Network(httpx.ASGITransport(pool.app), query, happens)
    async with PoolClient(POOL_URL, token=token, transport=network) as client:
        return await compute(client)


@pytest.mark.parametrize("call", ["Source(", "Submit("])
async def test_a_token_that_is_revoked_loses_no_result(pool: AccessPool, call: str) -> None:
    async def revoke() -> None:
        await pool.mutate("operator", "revokeToken", "", token=pool.tokens["machine"])

    events = await computed(pool, pool.tokens["machine"], call, revoke)
    assert of_kind(events, Lost) == []
    assert len(of_kind(events, Judged)) == COUNT
    [warning] = [each for each in events if isinstance(each, Warned)]
    assert "does not take the account's token: this token was revoked" in warning.message


@pytest.mark.parametrize("principal", ["unknown", "revoked", "expired"])
async def test_a_token_that_is_refused_at_once_ends_a_volunteer_that_has_computed_nothing(
    pool: AccessPool, principal: str
) -> None:
    async with PoolClient(POOL_URL, token=pool.tokens[principal], transport=httpx.ASGITransport(pool.app)) as client:
        with pytest.raises(PoolRefused) as refused:
            await compute(client)
    assert refused.value.refusal.code == ErrorCode.UNAUTHENTICATED
