"""A subscription that is open ends when its token does, over both transports, whichever process revoked it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from resolvers.subscriptions import Subscriptions
from storage import Token
from tests.server.access_pool import AccessPool, access_pool
from tests.server.connection import Connection
from tests.server.test_access_matrix import subscribed

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRANSPORTS = ["websocket", "events"]
ENDED = '"code":"UNAUTHENTICATED"'
FIELDS = ["poolActivity { cursor }", 'flowProgress(id: "FLOW") { cursor }']


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


async def opened(pool: AccessPool, transport: str, field: str, **expiry: str) -> tuple[Connection, str]:
    """A subscription with a token of its own, and that token's key."""
    made = await pool.mutate(
        "operator", "createToken", "token { key } text", name="open", scopes=["READ"], account="ada", **expiry
    )
    query = f"subscription {{ {field.replace('FLOW', pool.flow)} }}"
    connection: Connection = subscribed(transport, query, {"authorization": f"Bearer {made['text']}"})
    connection.read_on()
    return connection, made["token"]["key"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("field", FIELDS)
async def test_it_ends_when_its_token_is_revoked(pool: AccessPool, transport: str, field: str) -> None:
    connection, key = await opened(pool, transport, field)
    async with connection.to(pool.app):
        await connection.hears('"cursor":')
        assert "UNAUTHENTICATED" not in connection.text()
        await pool.mutate("operator", "revokeToken", "", token=key)
        await connection.hears(ENDED)
    assert not pool.runtime.part(Subscriptions)._open


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_it_ends_when_another_process_revokes_its_token(pool: AccessPool, transport: str) -> None:
    connection, key = await opened(pool, transport, FIELDS[0])
    async with connection.to(pool.app):
        await connection.hears('"cursor":')
        # What another process writes, this one's cache does not learn of.
        store = pool.runtime.store
        await store.tokens._collection.update_one(
            {"_id": Token.id_of(key)}, {"$set": {"revoked_at": store.clock.now()}}
        )
        await connection.hears(ENDED)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_it_ends_when_its_token_expires(pool: AccessPool, transport: str) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    connection, _ = await opened(pool, transport, FIELDS[0], expiresAt=soon)
    async with connection.to(pool.app):
        await connection.hears('"cursor":')
        await connection.hears(ENDED)


async def test_one_without_a_token_goes_on(pool: AccessPool) -> None:
    made = await pool.mutate("operator", "createToken", "token { key }", name="x", scopes=["READ"])
    connection: Connection = subscribed("websocket", "subscription { poolActivity { cursor } }", {})
    connection.read_on()
    async with connection.to(pool.app):
        await connection.hears('"cursor":')
        await pool.mutate("operator", "revokeToken", "", token=made["token"]["key"])
        other, key = await opened(pool, "websocket", FIELDS[0])
        async with other.to(pool.app):
            await other.hears('"cursor":')
            await pool.mutate("operator", "revokeToken", "", token=key)
            await other.hears("UNAUTHENTICATED")
        assert "UNAUTHENTICATED" not in connection.text()
