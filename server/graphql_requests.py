"""What is read of a GraphQL request (https://graphql.github.io/graphql-over-http/draft/), and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import NoneType
from typing import Any

from cross_web import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Send
from strawberry.http import GraphQLRequestData

from resolvers import json_text
from resolvers.errors import PoolError
from resolvers.turns import aside
from rest_compat import negotiation

MAX_BODY = 32_000_000
"""Room for a flow of 100,000 jobs, in bytes."""
MAX_MESSAGE = 64_000
"""Of a WebSocket, in bytes: more is sent by POST, which is read in a thread."""
JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"
PARAMETERS: dict[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "variables": (dict, "an object"),
    "operationName": (str, "a string"),
    "extensions": (dict, "an object"),
}
JSON_PARAMETERS = ("variables", "extensions")


class Refused(HTTPException):
    """A request that is not carried out; `allow` are the methods to try instead of a wrong one."""

    def __init__(self, status: int, message: str, allow: str = "") -> None:
        super().__init__(status, message)
        self.allow = allow


def answered_as(accept: str) -> str:
    """The media type for an answer: `JSON`, unless the client names one of the others and wants that more, or as much.

    Raises Refused (406) if it takes none of them.
    """
    named = accept.lower()
    offers = tuple(offer for offer in (RESPONSE, JSON, EVENTS) if offer == JSON or offer in named)
    chosen = negotiation.choose(accept, offers)
    if chosen is None:
        raise Refused(406, f"Answers are {RESPONSE}, {JSON} or {EVENTS}; `Accept` takes none of these.")
    return chosen


async def read_request(request: Request) -> GraphQLRequestData:
    """The parameters of a GET or POST request. Raises Refused for anything else."""
    if request.method == "GET":
        parameters = await _from_url(request.query_params)
    elif request.method != "POST":
        raise Refused(405, "GraphQL takes GET and POST.", allow="GET, POST")
    elif negotiation.media_type(request.headers.get("content-type", "")) != JSON:
        raise Refused(415, f"A body is {JSON} here; say so as Content-Type.")
    else:
        parameters = await _json(await request.body(), "the body")
    if not isinstance(parameters, dict):
        raise Refused(400, "The body must be an object with a `query`.")
    for name, (kind, description) in PARAMETERS.items():
        if not isinstance(parameters.get(name), (kind, NoneType)):
            raise Refused(400, f"`{name}` must be {description} or null.")
    return GraphQLRequestData(
        query=parameters.get("query"),
        variables=parameters.get("variables"),
        operation_name=parameters.get("operationName"),
        extensions=parameters.get("extensions"),
    )


async def _from_url(query: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: query[name] for name in PARAMETERS if query.get(name)}
    return found | {name: await _json(found[name], f"`{name}`") for name in JSON_PARAMETERS if name in found}


async def _json(text: bytes | str, name: str) -> Any:
    try:
        return await aside(partial(json_text.read, text, name=name), weight=len(text))
    except PoolError as problem:
        raise Refused(400, problem.message) from None


def limited(receive: Receive) -> Receive:
    """The same body, refused (413) once it is longer than `MAX_BODY` bytes."""
    seen = 0

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise Refused(413, f"A request may have at most {MAX_BODY:,} bytes.")
        return message

    return receive_some


def forgiving(send: Send) -> Send:
    """The same, where the client has left as well: that is seen by what is received from it next."""

    async def send_if_there(message: Message) -> None:
        with suppress(OSError):
            await send(message)

    return send_if_there


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, and then what else comes: the client's leave."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_some() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_some
