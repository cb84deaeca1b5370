"""GraphQL over HTTP, server-sent events and WebSocket."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.execution import SubscriptionExecutionResult
from strawberry.types.graphql import OperationType

from resolvers import json_text
from schema.machinery.context import Context
from server.edge.origins import READ_ONLY, refusal
from server.graphql_requests import (
    EVENTS,
    JSON,
    RESPONSE,
    Refused,
    answered_as,
    forgiving,
    limited,
    read_request,
    replayed,
)

MAX_SUBSCRIPTIONS = 100
NO_QUERY = "There is no `query` in the request."
SUBSCRIPTION_AS_QUERY = (
    "A subscription is answered as server-sent events (Accept: text/event-stream) or over a WebSocket "
    "(graphql-transport-ws)."
)
MUTATION_BY_GET = "A mutation is sent by POST: GET changes nothing."
READS = {OperationType.QUERY}
STREAMS = {OperationType.QUERY, OperationType.SUBSCRIPTION}
ALL_AT_ONCE = {OperationType.QUERY, OperationType.MUTATION}
CODES = {403: "FORBIDDEN", 413: "TOO_LARGE"}

log = logging.getLogger(__name__)


class GraphQLEndpoint(GraphQL[Context, None]):
    """The schema as an ASGI application.

    Queries and mutations over HTTP are answered here, encoded by orjson, which pastes JSON in as the text it is stored
    as. Strawberry answers server-sent events and WebSockets.
    """

    def __init__(
        self, schema: Schema, make_context: Callable[[HTTPConnection], Awaitable[Context]], page: ASGIApp
    ) -> None:
        """`page` answers browsers that open the address."""
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
        )
        self._make_context = make_context
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, forgiving(send))
            return
        request = Request(scope, limited(receive))
        try:
            await self._respond(request, send)
        except ClientDisconnect:
            log.info("a client left before its request was here")

    async def _respond(self, request: Request, send: Send) -> None:
        response: ASGIApp | None
        media_type = JSON
        try:
            if self._is_for_people(request):
                response = self._page
            else:
                media_type = answered_as(request.headers.get("accept", ""))
                response = await self._answer(request, media_type)
        except HTTPException as refused:
            response = _refusal(refused, JSON if media_type == EVENTS else media_type)
        if response is not None:
            await response(request.scope, request.receive, send)
            return
        # Strawberry would answer its refusals as plain text: nothing is left to refuse.
        await super().__call__(request.scope, replayed(await request.body(), request.receive), send)

    def _is_for_people(self, request: Request) -> bool:
        """Whether a browser, or someone who looks, asks for the page."""
        accept = request.headers.get("accept", "")
        wants_page = "text/html" in accept or "*/*" in accept
        return request.method == "GET" and wants_page and "query" not in request.query_params

    async def _answer(self, request: Request, media_type: str) -> Response | None:
        """The answer, or none where it is a stream's to give. Raises HTTPException."""
        asked = await read_request(request)
        if media_type == EVENTS:
            return None
        try:
            result = await self._execute(request, asked)
        except InvalidOperationTypeError as refused:
            if refused.operation_type is OperationType.MUTATION:
                if request.scope.get(READ_ONLY):
                    raise Refused(403, refusal(request.headers["origin"])) from None
                raise Refused(405, MUTATION_BY_GET, allow="POST") from None
            if EVENTS in request.headers.get("accept", "").lower():
                return None
            raise Refused(400, SUBSCRIPTION_AS_QUERY) from None
        except MissingQueryError:
            raise Refused(400, NO_QUERY) from None
        answer = await self.process_result(request, result)
        # Who takes no more than JSON may take a status other than 200 for a failure of the transport.
        status = 400 if media_type == RESPONSE and "data" not in answer else 200
        return Response(orjson.dumps(answer), status, media_type=media_type)

    async def _execute(self, request: Request, asked: GraphQLRequestData) -> ExecutionResult:
        """Raises InvalidOperationTypeError and MissingQueryError."""
        context = await self._make_context(request)
        context.weight = len(await request.body())
        try:
            return await self.schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=READS if reads_only(request) else ALL_AT_ONCE,
                operation_extensions=asked.extensions,
            )
        except CannotGetOperationTypeError as refused:
            error = GraphQLError(refused.as_http_error_reason(), extensions={"code": "BAD_INPUT"})
            return ExecutionResult(None, [error])

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        """What is answered as server-sent events: from a page of another origin, nothing that writes."""
        if request.scope.get(READ_ONLY) and isinstance(request_data, GraphQLRequestData):
            stream: SubscriptionExecutionResult = await self.schema.stream(  # type: ignore[assignment]
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                operation_extensions=request_data.extensions,
                allowed_operation_types=STREAMS,
            )
            return stream
        return await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Whether `server/edge/origins.py` let it in."""
        return request.scope.get(READ_ONLY) is False

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """A response without `data` where nothing was carried out (https://spec.graphql.org/October2021/#sec-Errors):
        errors of fields have a path, those of requests have none."""
        answer = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            del answer["data"]
        return answer

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return await self._make_context(request)

    async def get_root_value(self, request: Request | WebSocket) -> None:
        return None

    def decode_json(self, data: str | bytes) -> object:
        return json_text.parse(data if isinstance(data, str) else data.decode())

    def encode_json(self, data: object) -> str:
        """Text: bytes would travel as binary WebSocket frames."""
        return orjson.dumps(data).decode()


def reads_only(request: Request) -> bool:
    """Whether it may not write: GET never does, and a page of another origin neither."""
    return request.method == "GET" or bool(request.scope.get(READ_ONLY))


def _refusal(refused: HTTPException, media_type: str) -> Response:
    """A request that can't be read, as a GraphQL response."""
    code = CODES.get(refused.status_code, "BAD_INPUT")
    answer = {"errors": [{"message": refused.reason, "extensions": {"code": code}}]}
    headers = {"allow": refused.allow} if isinstance(refused, Refused) and refused.allow else {}
    return Response(orjson.dumps(answer), refused.status_code, headers, media_type)
