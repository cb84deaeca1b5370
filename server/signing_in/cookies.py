"""The cookie by which a browser shows its session (RFC 6265bis).

It counts for the pool's own pages only: SameSite takes other ports and subdomains for the same site, so that the origin
of a page is looked at as well.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from server.edge.headers import value_of

NAME = "comp_pool_session"
SECURE_SCHEMES = ("https", "wss")
OWN_SITES = (None, "same-origin", "none")
"""What `Sec-Fetch-Site` says of a request that no other page has made (https://www.w3.org/TR/fetch-metadata/)."""


class SessionCookie:
    """The cookie of a pool at a public address, if the settings name one."""

    def __init__(self, public_url: str | None) -> None:
        self._origin = normalize_origin(public_url) if public_url else None

    def shown(self, scope: Scope) -> str:
        """The text of the session in the request's cookie; empty if there is none, or a page of another origin has
        sent it."""
        # Most requests have none, and Starlette's view of the headers is expensive.
        if not any(name == b"cookie" for name, _ in scope["headers"]) or not self.is_own_page(scope):
            return ""
        return HTTPConnection(scope).cookies.get(self._name(scope), "")

    def is_own_page(self, scope: Scope) -> bool:
        """Whether it was sent by a page of the pool, or by a program. Whoever opens a WebSocket has to name an
        origin: browsers always do, and cross-origin rules don't stop them there."""
        origin = value_of(scope, b"origin")
        if origin is None:
            return scope["type"] != "websocket" and value_of(scope, b"sec-fetch-site") in OWN_SITES
        return origin == self._origin or is_same_origin(origin, value_of(scope, b"host"))

    def set(self, response: Response, scope: Scope, text: str, seconds: int) -> None:
        """Have the browser keep a session for so long."""
        self._put(response, scope, text, seconds)

    def forget(self, response: Response, scope: Scope) -> None:
        """Have the browser forget its session."""
        self._put(response, scope, "", 0)

    def is_secure(self, scope: Scope) -> bool:
        """Whether the browser reaches the pool by TLS."""
        return scope.get("scheme") in SECURE_SCHEMES or (self._origin or "").startswith("https:")

    def _put(self, response: Response, scope: Scope, text: str, seconds: int) -> None:
        response.set_cookie(
            self._name(scope),
            text,
            max_age=seconds,
            path=path_of(scope),
            secure=self.is_secure(scope),
            httponly=True,
            samesite="strict",
        )

    def _name(self, scope: Scope) -> str:
        # A cookie of this prefix is taken by browsers over TLS only: nobody on the way can have set it.
        return f"__Secure-{NAME}" if self.is_secure(scope) else NAME


def path_of(scope: Scope) -> str:
    """The path that the pool is at, which its cookies are for."""
    return root_of(scope) or "/"


def root_of(scope: Scope) -> str:
    """What the pool's paths begin with; empty for a pool that has its host for itself."""
    return str(scope.get("root_path", ""))
