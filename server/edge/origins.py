"""Which pages may change something.

A browser names the page's origin with every request that may (https://fetch.spec.whatwg.org/#origin-header); other
clients name none. The rule is that of Go's `net/http.CrossOriginProtection`: the page's host is the one that is asked,
or its origin is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin

from rest_compat import negotiation
from rest_compat.requests import HttpRequest
from server.edge.headers import value_of
from server.edge.refusals import GRAPHQL, refuse

READING = ("GET", "HEAD", "OPTIONS")
LEGACY_WRITE = re.compile(r"/jobs/[^/]+/variables(/[^/]+/results?)?/?")
"""What the documented clients of the original post, from pages of any origin, with any Content-Type that they posted
it with then (docs/legacy-contract.md)."""
ANY = "*"
READ_ONLY = "comp_pool.read_only"
SHOWN = 200


class KnownOrigins:
    """Refuses writes and WebSockets (403) of pages on other origins, and bodies of pages that are not said to be JSON
    (415): those a browser sends without asking first.

    A GraphQL request of such a page goes on with `READ_ONLY` in its scope: its document says whether it writes.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        """
        Args:
            allowed: origins besides the pool's own, such as `https://app.example`, as browsers write them; or `*`.
        """
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = None if scope["type"] == "lifespan" else value_of(scope, b"origin")
        if origin is None or (scope["type"] == "http" and scope["method"] in READING):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(origin, scope, receive, send)
        else:
            await self._write(origin, scope, receive, send)

    async def _connect(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._may_write(origin, scope):
            scope[READ_ONLY] = False
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 403, "FORBIDDEN", refusal(origin))

    async def _write(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        path = HttpRequest(scope, None).path
        if scope["method"] == "POST" and LEGACY_WRITE.fullmatch(path):
            await self._app(scope, receive, send)
        elif not self._may_write(origin, scope) and path.rstrip("/") != GRAPHQL:
            await refuse(scope, receive, send, 403, "FORBIDDEN", refusal(origin))
        elif _has_body(scope) and not _is_json(scope):
            message = "The body of a page's request is application/json here; say so as Content-Type."
            await refuse(scope, receive, send, 415, "UNSUPPORTED_MEDIA_TYPE", message)
        else:
            scope[READ_ONLY] = not self._may_write(origin, scope)
            await self._app(scope, receive, send)

    def _may_write(self, origin: str, scope: Scope) -> bool:
        """Whether it is the pool's own page, or of an allowed origin."""
        if ANY in self._allowed or origin in self._allowed:
            return True
        return is_same_origin(origin, value_of(scope, b"host"))


def refusal(origin: str) -> str:
    """Why a page of this origin may not write."""
    return (
        f"Pages of {origin[:SHOWN]!r} may read this pool, and not change it: submit from one of its own pages, or "
        "start it with --allowed-origins."
    )


def _has_body(scope: Scope) -> bool:
    return value_of(scope, b"transfer-encoding") is not None or value_of(scope, b"content-length") not in (None, "0")


def _is_json(scope: Scope) -> bool:
    content_type = value_of(scope, b"content-type") or ""
    return bool(content_type.strip()) and negotiation.is_json(content_type)
