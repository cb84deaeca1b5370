"""How long the body of a request may take."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.edge.refusals import refuse

BYTES_A_SECOND = 4_096
"""What a body has to come at, at least: so many bytes give back a second of the time that was waited for it. A slow
upload is no fault; one that stands still is, however much of it has come."""
BODILESS = ("GET", "HEAD", "OPTIONS")
LATE = "The body of this request did not come in time. Send it again, in one go."

log = logging.getLogger(__name__)


class TimelyBodies:
    """Answers 408 when a body does not come, instead of waiting for it for ever."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._seconds)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            if not body.late:
                raise
        if body.late:
            log.info("a request's body did not come in time")
            if not body.answered:
                await refuse(scope, receive, send, 408, "BAD_INPUT", LATE)


class _Body:
    """A request whose client is taken to have left when it is late."""

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._clock = asyncio.get_running_loop().time
        self._seconds = seconds
        self._left_s = seconds
        self._whole = False
        self.late = False
        self.answered = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        began = self._clock()
        try:
            async with asyncio.timeout(self._left_s):
                message = await self._receive()
        except TimeoutError:
            self.late = True
            return {"type": "http.disconnect"}
        left_s = self._left_s - (self._clock() - began) + len(message.get("body", b"")) / BYTES_A_SECOND
        self._left_s = min(left_s, self._seconds)
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.answered or not self.late:
            self.answered = True
            await self._send(message)
