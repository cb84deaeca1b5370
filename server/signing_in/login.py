"""The login under way at a provider, as the browser keeps it: in a cookie that is signed, lives for as long as one may
take there, and comes along when the provider sends the browser back from another site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from resolvers.runtime import Runtime
from server.signing_in.cookies import SessionCookie, path_of

NAME = "comp_pool_login"
LIFE_S = 600


class LoginCookie:
    """The cookie of such a login."""

    def __init__(self, cookie: SessionCookie) -> None:
        """
        Args:
            cookie: that of the session which follows.
        """
        self._cookie = cookie

    def shown(self, request: Request, runtime: Runtime) -> dict[str, Any]:
        """The login under way; empty if there is none, or it took too long."""
        try:
            return dict(_signer(runtime).loads(request.cookies.get(NAME, ""), max_age=LIFE_S))
        except BadSignature:
            return {}

    def keep(self, response: Response, request: Request, runtime: Runtime, login: Mapping[str, Any]) -> None:
        """Have the browser keep a login; one that is empty has ended, and is forgotten."""
        response.set_cookie(
            NAME,
            str(_signer(runtime).dumps(dict(login))) if login else "",
            max_age=LIFE_S if login else 0,
            path=path_of(request.scope),
            secure=self._cookie.is_secure(request.scope),
            httponly=True,
            samesite="lax",
        )


def _signer(runtime: Runtime) -> URLSafeTimedSerializer:
    """All processes of a pool sign with the same key: the next request may be another one's."""
    return URLSafeTimedSerializer(runtime.host_secret, salt=NAME)
