"""`/session`: opened with a token or a one-time link, by POST, and closed by DELETE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.access import first_operator, sessions
from resolvers.errors import BadInput, Forbidden, PoolError
from resolvers.runtime import Runtime
from rest_compat import negotiation
from rest_compat.problems import MEDIA_TYPE, Problem, problem_of
from schema.machinery.times import moment
from server.signing_in.cookies import SessionCookie
from storage import Token

PATH = "/session"
MOST_BYTES = 4_096
TOKEN, LINK = "token", "link"
JSON = "application/json"


class Sessions:
    """The sessions of a pool's pages."""

    def __init__(self, runtime: Callable[[], Runtime], cookie: SessionCookie, life_ms: int) -> None:
        """
        Args:
            life_ms: how long a session lasts, at most.
        """
        self._runtime = runtime
        self._cookie = cookie
        self._life_ms = life_ms

    def route(self) -> Route:
        return Route(PATH, self._answer, methods=["POST", "DELETE"])

    async def _answer(self, request: Request) -> Response:
        try:
            if not self._cookie.is_own_page(request.scope):
                raise Forbidden("signing in and out is for the pool's own pages")
            return await (self._open if request.method == "POST" else self._close)(request, self._runtime())
        except PoolError as error:
            return _refusal(problem_of(error), request)

    async def _open(self, request: Request, runtime: Runtime) -> Response:
        if negotiation.media_type(request.headers.get("content-type", "")) != JSON:
            return _refusal(Problem(415, "BAD_INPUT", f"A body is {JSON} here; say so as Content-Type."), request)
        name, text = await _shown_in(request)
        open_ = first_operator.follow if name == LINK else sessions.open_with_token
        opened = await open_(runtime, text, self._life_ms)
        await sessions.close(runtime, self._cookie.shown(request.scope))
        response = Response(orjson.dumps(_said(opened[0])), 201, {"cache-control": "no-store"}, JSON)
        self.keep(response, request, runtime, *opened)
        return response

    async def _close(self, request: Request, runtime: Runtime) -> Response:
        await sessions.close(runtime, self._cookie.shown(request.scope))
        response = Response(status_code=204)
        self._cookie.forget(response, request.scope)
        return response

    def keep(self, response: Response, request: Request, runtime: Runtime, session: Token, text: str) -> None:
        """Have the browser keep a session."""
        self._cookie.set(response, request.scope, text, (session.expires_at - runtime.now()) // 1000)


async def _shown_in(request: Request) -> tuple[str, str]:
    """What the session is to be opened with: `token` or `link`, and its text. Raises BadInput."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            break
    try:
        asked = orjson.loads(body[: MOST_BYTES + 1])
    except orjson.JSONDecodeError:
        asked = None
    shown = [(name, asked[name]) for name in (TOKEN, LINK) if name in asked] if isinstance(asked, dict) else []
    if len(shown) != 1 or not isinstance(shown[0][1], str):
        raise BadInput('a session is opened with {"token": "cp_..."}, or {"link": "cl_..."}', field=TOKEN)
    [(name, text)] = shown
    return name, text.strip()


def _said(session: Token) -> dict[str, Any]:
    return {
        "account": session.account,
        "scopes": [scope.upper() for scope in session.scopes],
        "expiresAt": moment(session.expires_at).isoformat(),
    }


def _refusal(problem: Problem, request: Request) -> Response:
    body = orjson.dumps(problem.document(request.url.path))
    return Response(body, problem.status, {"cache-control": "no-store", **problem.headers}, MEDIA_TYPE)
