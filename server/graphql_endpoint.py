"""GraphQL over HTTP, server-sent events and WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import NoneType

import orjson
from cross_web import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType

from schema.machinery.context import Context

MAX_SUBSCRIPTIONS = 100
MAX_BODY = 32_000_000
"""Room for a flow of 100,000 jobs, in bytes."""
SUBSCRIPTION_AS_QUERY = (
    "A subscription is answered as server-sent events (Accept: text/event-stream) or over a WebSocket "
    "(graphql-transport-ws)."
)
PARAMETERS: dict[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "variables": (dict, "an object"),
    "operationName": (str, "a string"),
    "extensions": (dict, "an object"),
}


class GraphQLEndpoint(GraphQL[Context, None]):
    """The schema as an ASGI application.

    Answers are encoded by orjson, which pastes JSON in as the text it is stored as.
    """

    def __init__(self, schema: Schema, make_context: Callable[[HTTPConnection], Awaitable[Context]]) -> None:
        super().__init__(
            schema,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
        )
        self._make_context = make_context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _limited(receive)
        if scope["type"] != "http" or not _is_plain(request := Request(scope, receive)):
            await super().__call__(scope, receive, send)
            return
        try:
            response = await self._answer(request)
        except HTTPException as refused:
            response = PlainTextResponse(refused.reason, status_code=refused.status_code)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """Nearly all that clients send, on a shorter way than what negotiates the other transports first."""
        asked = _read(self.parse_json(await request.body()))
        try:
            result = await self.schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=await self._make_context(request),
                operation_name=asked.operation_name,
                allowed_operation_types={OperationType.QUERY, OperationType.MUTATION},
                operation_extensions=asked.extensions,
            )
        except InvalidOperationTypeError:
            raise HTTPException(400, SUBSCRIPTION_AS_QUERY) from None
        except CannotGetOperationTypeError as refused:
            raise HTTPException(400, refused.as_http_error_reason()) from None
        except MissingQueryError:
            raise HTTPException(400, "There is no `query` in the body.") from None
        answer = await self.process_result(request, result)
        return Response(orjson.dumps(answer), media_type="application/json")

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return await self._make_context(request)

    async def get_root_value(self, request: Request | WebSocket) -> None:
        return None

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Text: bytes would travel as binary WebSocket frames."""
        return orjson.dumps(data).decode()


def _limited(receive: Receive) -> Receive:
    """The same body, refused (413) once it is longer than `MAX_BODY` bytes."""
    seen = 0

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise HTTPException(413, f"A request may have at most {MAX_BODY:,} bytes.")
        return message

    return receive_some


def _is_plain(request: Request) -> bool:
    """Whether this is a POST of JSON that asks for neither server-sent events nor multipart answers."""
    headers = request.headers
    accept = headers.get("accept", "")
    return (
        request.method == "POST"
        and headers.get("content-type", "").startswith("application/json")
        and not ("text/event-stream" in accept or "multipart/" in accept)
    )


def _read(body: object) -> GraphQLRequestData:
    """A request as GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters) has
    it. Raises HTTPException (400) for anything else."""
    if not isinstance(body, dict):
        raise HTTPException(400, "The body must be an object with a `query`.")
    for name, (kind, description) in PARAMETERS.items():
        if not isinstance(body.get(name), (kind, NoneType)):
            raise HTTPException(400, f"`{name}` must be {description} or null.")
    return GraphQLRequestData(
        query=body.get("query"),
        variables=body.get("variables"),
        operation_name=body.get("operationName"),
        extensions=body.get("extensions"),
    )
