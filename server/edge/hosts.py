"""Which names the pool answers to.

A page whose name is made to lead to this machine (DNS rebinding) is of the pool's origin as far as a browser knows. Its
requests name its own host (https://www.rfc-editor.org/rfc/rfc9110#section-7.2), and are not for this pool.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from server.edge.headers import values_of
from server.edge.refusals import refuse

MISDIRECTED = 421
SHOWN = 100


class KnownHosts:
    """Refuses requests (421) that are for another host."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """
        Args:
            hosts: names and addresses, lower case and without ports; IPv6 addresses in brackets.
        """
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        named = values_of(scope, b"host")
        if len(named) <= 1 and all(name_of(host) in self._hosts for host in named):
            await self._app(scope, receive, send)
            return
        message = (
            f"This pool does not go by the name {', '.join(named)[:SHOWN]!r}. Open it by its address, or start it with "
            "--public-url or --allowed-hosts to have it answer to other names."
        )
        await refuse(scope, receive, send, MISDIRECTED, "FORBIDDEN", message)


def name_of(host: str) -> str:
    """The name or address in a `Host`, without its port."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.strip().lower()
    return name.removesuffix(".")
