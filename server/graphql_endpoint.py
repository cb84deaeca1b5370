"""GraphQL over HTTP, server-sent events and WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from schema.context import Context

MAX_SUBSCRIPTIONS = 100


class GraphQLEndpoint(GraphQL[Context, None]):
    """The schema as an ASGI application.

    Answers are encoded by orjson, which pastes JSON in as the text it is stored as.
    """

    def __init__(self, schema: Schema, make_context: Callable[[HTTPConnection], Awaitable[Context]]) -> None:
        super().__init__(
            schema,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
        )
        self._make_context = make_context

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return await self._make_context(request)

    async def get_root_value(self, request: Request | WebSocket) -> None:
        return None

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)
