"""How often an address group may ask."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.rates import Rate, Rates
from server.edge.groups import group_in
from server.edge.refusals import refuse

HELD_S = 1.0
"""How long a refusal is held back at most."""
TRY_AGAIN_LATER = 1013
"""A WebSocket's close code (https://www.iana.org/assignments/websocket/websocket.xhtml)."""


class RatedRequests:
    """Refuses requests (429) and ends WebSockets of address groups that ask too often. A message over a WebSocket
    counts as a request."""

    def __init__(self, app: ASGIApp, rate: Rate, rates: Rates) -> None:
        self._app = app
        self._rate = rate
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        group = group_in(scope)
        if wait_s := self._rates.wait_s(self._rate, group):
            refusal = self._rates.refusal(self._rate, wait_s, f"requests from {group}")
            # Refused at once, a client that asks again at once would keep the server as busy as with answers.
            await asyncio.sleep(min(wait_s, HELD_S))
            await refuse(scope, receive, send, 429, refusal.code, refusal.message, wait_s)
        elif scope["type"] == "websocket":
            await self._app(scope, self._counted(group, receive, send), send)
        else:
            await self._app(scope, receive, send)

    def _counted(self, group: str, receive: Receive, send: Send) -> Receive:
        async def receive_counted() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and self._rates.wait_s(self._rate, group):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": "RATE_LIMITED"})
                return {"type": "websocket.disconnect", "code": TRY_AGAIN_LATER}
            return message

        return receive_counted
