"""`Idempotency-Key` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): a repeated request
is answered as the first one was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson

from rest_compat.requests import HttpRequest
from rest_compat.responses import Response

Once = Callable[[object, str, str, bytes, Callable[[], Awaitable[str]]], Awaitable[str]]
"""Answers what a request was answered the first time: from the context of resolvers, where the key means anything,
the key, the body, and what carries the request out. Raises where it is still carried out, or came with another body.
"""


async def answer_once(
    once: Once,
    request: HttpRequest,
    key: str,
    context: object,
    body: bytes,
    answer: Callable[[], Awaitable[Response]],
) -> Response:
    """The response to the first request with this key to the same URL, made by `answer` if this is it."""

    async def carry_out() -> str:
        made = await answer()
        return orjson.dumps([made.status, made.media_type, made.body.decode(), made.headers]).decode()

    kept = await once(context, f"{request.method} {request.url}", key, body, carry_out)
    status, media_type, text, headers = orjson.loads(kept)
    return Response(status, media_type, text.encode(), headers)
