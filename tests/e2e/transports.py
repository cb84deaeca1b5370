"""Subscriptions over real connections: graphql-transport-ws and server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from comp_pool import PoolClient
from tests.processes import PATIENCE_S

Subscribe = Callable[..., AsyncIterator[dict[str, Any]]]


@asynccontextmanager
async def socket_to(url: str) -> AsyncIterator[ClientConnection]:
    """A connection that speaks graphql-transport-ws
    (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""
    address = f"ws{url.removeprefix('http')}/graphql"
    async with connect(
        address, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=PATIENCE_S, ping_timeout=PATIENCE_S
    ) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def subscribe(socket: ClientConnection, id_: str, document: str, **variables: Any) -> None:
    payload = {"query": document, "variables": variables}
    await socket.send(json.dumps({"id": id_, "type": "subscribe", "payload": payload}))


async def by_websocket(url: str, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    async with socket_to(url) as socket:
        await subscribe(socket, "1", document, **variables)
        while (message := json.loads(await socket.recv()))["type"] != "complete":
            assert (message["type"], message["id"]) == ("next", "1"), message
            assert "errors" not in message["payload"], message
            yield message["payload"]["data"]


async def by_events(url: str, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    async with PoolClient(url) as client:
        async for data in client.subscribe(document, **variables):
            yield data


TRANSPORTS: dict[str, Subscribe] = {"graphql-transport-ws": by_websocket, "SSE": by_events}
TRANSPORT = pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
