"""Requests whose client has left."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.edge.bodies import BODILESS

LOOK_AFTER_S = 0.1
"""What is answered by then need not be watched, which costs as much as a short answer."""

log = logging.getLogger(__name__)


class UntilTheyLeave:
    """Stops working on a request when nobody waits for the answer any more: its calls in the sandbox too.

    It is stopped wherever it waits. The pool lives with that as it does with being killed: nothing is left that the
    sweeper does not finish or take back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = _Client(receive, whole=scope["method"] in BODILESS)
        try:
            await self._app(scope, client.receive, send)
        except asyncio.CancelledError:
            if not client.left or asyncio.current_task().uncancel():  # type: ignore[union-attr]
                raise
            log.info("a client left before it was answered")
        finally:
            client.forget()


class _Client:
    """Whoever waits for an answer of the present task, which is cancelled when they leave."""

    def __init__(self, receive: Receive, whole: bool) -> None:
        self._receive = receive
        self._whole = whole
        self._task = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOOK_AFTER_S, self._look)
        self.left = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._whole = self._whole or not message.get("more_body", False)
        return message

    def forget(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _look(self) -> None:
        if self._whole:
            self._watching = asyncio.create_task(self._watch())
        else:  # The body is the application's to receive.
            self._timer = asyncio.get_running_loop().call_later(LOOK_AFTER_S, self._look)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        assert self._task is not None
        self._task.cancel()
