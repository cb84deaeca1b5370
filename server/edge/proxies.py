"""What trusted proxies say of a request: by whom it was sent, to which address, and below which path."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.edge.forwarded import Malformed, origin_of
from server.edge.headers import value_of, values_of

ANY = "*"
FORWARDED = b"forwarded"
INSTEAD_OF_IT = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
"""Where one of these is there, `Forwarded` counts for nothing: proxies that set these let it through as the client sent
it."""
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")

log = logging.getLogger(__name__)


class Proxied:
    """Puts the client's address, the scheme, the host and the path that the pool is at into the scope, where they are
    found without a proxy (https://asgi.readthedocs.io/en/stable/specs/www.html#http-connection-scope).

    `X-Forwarded-For` and `-Proto` are read by uvicorn. Of several hosts or prefixes that of the nearest proxy counts,
    the last. Where there is none of `X-Forwarded-For`, `-Proto` and `-Host`, `Forwarded` counts.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str], path: str = "") -> None:
        """
        Args:
            trusted: addresses and networks of proxies, or `*`.
            path: the path that the pool is at, if the settings say so; else proxies do, by `X-Forwarded-Prefix`.
        """
        self._networks = [ip_network(each, strict=False) for each in trusted if each != ANY]
        self._any = ANY in trusted
        self._path = path
        self._has_complained = False
        self._app: ASGIApp = app
        if trusted:
            self._app = ProxyHeadersMiddleware(app, ANY if self._any else list(trusted))  # type: ignore[arg-type, assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            self._place(scope)
        await self._app(scope, receive, send)

    def _place(self, scope: Scope) -> None:
        path = self._path
        if self._trusts(scope):
            if host := _last(value_of(scope, b"x-forwarded-host")):
                _put_host(scope, host)
            names = {name for name, _ in scope["headers"]}
            if FORWARDED in names and names.isdisjoint(INSTEAD_OF_IT):
                self._put_origin(scope, ", ".join(values_of(scope, FORWARDED)))
            prefix = _last(value_of(scope, b"x-forwarded-prefix")).rstrip("/")
            path = path or (prefix if PREFIX.fullmatch(prefix) else "")
        if path:
            scope["root_path"] = path
            scope["path"] = _below(path, scope["path"])
            if scope.get("raw_path"):
                scope["raw_path"] = _below(quote(path), scope["raw_path"].decode("latin-1")).encode("latin-1")

    def _put_origin(self, scope: Scope, forwarded: str) -> None:
        try:
            origin = origin_of(forwarded, self._is_proxy)
        except Malformed as problem:
            if not self._has_complained:
                log.warning("a proxy sends a header Forwarded that is ignored: %s", problem)
            self._has_complained = True
            return
        if origin.client:
            scope["client"] = origin.client
        if origin.host:
            _put_host(scope, origin.host)
        if origin.scheme:
            web = origin.scheme.replace("ws", "http")
            scope["scheme"] = web.replace("http", "ws") if scope["type"] == "websocket" else web

    def _trusts(self, scope: Scope) -> bool:
        if self._any or not scope.get("client"):
            return self._any
        return self._is_proxy(scope["client"][0])

    def _is_proxy(self, client: str) -> bool:
        if self._any:
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _put_host(scope: Scope, host: str) -> None:
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    scope["headers"] = [(b"host", host.encode("latin-1")), *others]


def _last(value: str | None) -> str:
    return (value or "").rpartition(",")[2].strip()


def _below(root: str, path: str) -> str:
    """The path below the root: proxies may have taken the root away, or left it there."""
    return path if path == root or path.startswith(f"{root}/") else f"{root}{path}"
