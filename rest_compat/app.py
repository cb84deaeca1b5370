"""The facade: an ASGI application over the operations that a schema declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
import strawberry
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from rest_compat import cors, negotiation, openapi, responses
from rest_compat.compiler import compile_operations
from rest_compat.errors import BadRequest, NoSuchResource
from rest_compat.exchange import Answer, Exchange
from rest_compat.hal_forms import Forms
from rest_compat.operations import Operation, ReadOperation
from rest_compat.problems import problem_of
from rest_compat.relations import relation_pages
from rest_compat.requests import Disconnected, HttpRequest, read_body
from rest_compat.responses import Response
from rest_compat.routing import Router, Target


class Facade:
    """The REST/HAL facade of a schema, to be mounted at the API's root.

    Attributes:
        operations: what it serves, in the order of the schema.
        openapi: the OpenAPI 3.1 document that describes it.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        make_context: Callable[[Request], Awaitable[object]],
        *,
        public_url: str | None = None,
        allow_origin: str = "*",
        max_body: int = 1 << 20,
        max_answer: int = 0,
        title: str = "comp-pool",
        version: str = "1.0.0",
    ) -> None:
        """
        Args:
            make_context: what resolvers get as their context, made for each request.
            public_url: the API's address as clients know it; default: taken from each request's `Host`.
            allow_origin: the value of `Access-Control-Allow-Origin`.
            max_body: the longest body that is read, in bytes.
            max_answer: the longest body of an answer to a `GET`, in bytes; 0: any.

        Raises BadHalSchema when the schema's directives contradict each other or the schema.
        """
        self.operations: tuple[Operation, ...] = compile_operations(schema._schema)
        self.openapi = openapi.describe(self.operations, schema._schema, title, version)
        self._make_context = make_context
        self._public_url = public_url.rstrip("/") if public_url else None
        self._max_body = max_body
        self._max_answer = max_answer
        self._router = Router(self.operations)
        self._forms = Forms(self.operations)
        self._everywhere = cors.on_every_response(allow_origin)
        self._documents: dict[str, tuple[str, bytes]] = {
            openapi.PATH: ("application/json", orjson.dumps(self.openapi)),
            **relation_pages(self.operations),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http":
            request = HttpRequest(scope, self._public_url)
            try:
                response = await self._response(request, receive)
            except Disconnected:
                return
            except Exception as error:
                response = responses.problem(problem_of(error), request)
            await self._send(response, request.method, send)

    async def _response(self, request: HttpRequest, receive: Receive) -> Response:
        found = self._router.find(request.segments)
        if found is None:
            return self._description(request)
        target, values = found
        if request.method == "OPTIONS":
            return responses.options(target.allow)
        operation = target.operations.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            raise _not_allowed(request.method, target.allow)
        request.scope["operation"] = operation.id
        media_type = _negotiate(request, operation, target)
        context = await self._make_context(Request(request.scope, receive))
        exchange = Exchange(request.root, request.url, operation.address.variables, values, request.query, context)
        if isinstance(operation, ReadOperation):
            answer = await _read(operation, target, media_type, exchange)
            response = self._represented(request, operation, media_type, exchange, answer)
            if self._max_answer and len(response.body) > self._max_answer:
                raise _too_large(self._max_answer)
            return response
        if not negotiation.is_json(request.header(b"content-type")):
            raise BadRequest("A body is application/json here.", status=415, code="UNSUPPORTED_MEDIA_TYPE")
        exchange.idempotency_key = request.idempotency_key
        exchange.body = await read_body(request, receive, self._max_body)
        return self._represented(request, operation, media_type, exchange, await operation.answer(exchange))

    def _represented(
        self, request: HttpRequest, operation: Operation, media_type: str, exchange: Exchange, answer: Answer
    ) -> Response:
        if media_type == negotiation.FORMS and answer.document is not None:
            answer.document["_templates"] = self._forms.of(operation, exchange, answer.document)
        return responses.of_answer(request, operation, media_type, answer)

    def _description(self, request: HttpRequest) -> Response:
        """What describes the API, which no field of the schema serves. Raises NoSuchResource for anything
        else."""
        if (document := self._documents.get(request.path.rstrip("/"))) is None:
            raise NoSuchResource
        if request.method == "OPTIONS":
            return responses.options(_READ_ONLY)
        if request.method not in ("GET", "HEAD"):
            raise _not_allowed(request.method, _READ_ONLY)
        return responses.cacheable(request, *document, responses.PAGE_HEADERS)

    async def _send(self, response: Response, method: str, send: Send) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        if response.media_type is not None:
            headers.append((b"content-type", response.media_type.encode()))
        if response.status not in (204, 304):
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": self._everywhere + headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})


_READ_ONLY = "GET, HEAD, OPTIONS"


def _negotiate(request: HttpRequest, operation: Operation, target: Target) -> str:
    """The media type to answer with. Raises BadRequest (406) when the client takes none that there is."""
    if target.alternate:
        return target.alternate.types[0]
    if isinstance(operation, ReadOperation) and operation.alternates:
        asked_by_body = negotiation.media_type(request.header(b"content-type"))
        if any(asked_by_body in alternate.types for alternate in operation.alternates):
            return asked_by_body
    chosen = negotiation.choose(request.header(b"accept"), operation.offers)
    if chosen is None:
        raise BadRequest(f"There is {', '.join(operation.offers)} here.", status=406, code="NOT_ACCEPTABLE")
    return chosen


async def _read(operation: ReadOperation, target: Target, media_type: str, exchange: Exchange) -> Answer:
    alternate = target.alternate or next((a for a in operation.alternates if media_type in a.types), None)
    return await (operation.alternate(alternate, exchange) if alternate else operation.answer(exchange))


def _too_large(most: int) -> BadRequest:
    message = f"This answer would have more than {most:,} bytes; ask for a shorter page of the list."
    return BadRequest(message, status=413, code="TOO_LARGE")


def _not_allowed(method: str, allow: str) -> BadRequest:
    return BadRequest(
        f"{method} is not possible here; {allow} are.",
        status=405,
        code="METHOD_NOT_ALLOWED",
        headers={"allow": allow},
    )
