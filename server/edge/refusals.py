"""How a request is refused before the application sees it, so that scripts of any origin can read why."""

from __future__ import annotations

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rest_compat import cors
from rest_compat.problems import MEDIA_TYPE, Problem

GRAPHQL = "/graphql"


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str, retry_after_s: int = 0
) -> None:
    """Answers as the address would: a GraphQL response at `/graphql`, elsewhere a problem document (RFC 9457). A
    WebSocket is not accepted, which its client sees as 403.

    Args:
        message: what was expected, what came, and what to do.
        retry_after_s: when the request may be made again; 0: that is not known.
    """
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": code})
        return
    if scope["path"].rstrip("/").endswith(GRAPHQL):
        about = {"code": code} | ({"retryAfterSeconds": retry_after_s} if retry_after_s else {})
        errors = {"errors": [{"message": message, "extensions": about}]}
        answer = Response(orjson.dumps(errors), status, media_type="application/json")
    else:
        document = Problem(status, code, message).document(scope["path"])
        answer = Response(orjson.dumps(document), status, media_type=MEDIA_TYPE)
    if retry_after_s:
        answer.headers["retry-after"] = str(retry_after_s)
    answer.raw_headers.extend(cors.on_every_response("*"))
    # What is left of the body is not waited for.
    answer.raw_headers.append((b"connection", b"close"))
    await answer(scope, receive, send)
