"""A client of an ASGI application that reads when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

PATIENCE_S = 120.0


class Connection:
    """A client of an ASGI application, whose side of the connection takes in one message after the other when it is
    told to (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

    def __init__(self, scope: dict[str, Any], *said: dict[str, Any]) -> None:
        self._scope = {"asgi": {"version": "3.0"}, "path": "/graphql", "query_string": b"", "root_path": "", **scope}
        self._said = list(said)
        self._more = asyncio.Event()
        self._open = asyncio.Event()
        self._closed = asyncio.Event()
        self._news = asyncio.Event()
        self.heard: list[dict[str, Any]] = []
        self.waits = asyncio.Event()
        """The server has something to send, and can't."""

    async def receive(self) -> dict[str, Any]:
        while not self._said and not self._closed.is_set():
            self._more.clear()
            await self._more.wait()
        if self._said and not self._closed.is_set():
            return self._said.pop(0)
        return {"type": "websocket.disconnect" if self._scope["type"] == "websocket" else "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if not self._open.is_set():
            self.waits.set()
            await self._open.wait()
        self.heard.append(message)
        self._news.set()

    def say(self, message: dict[str, Any]) -> None:
        self._said.append(message)
        self._more.set()

    async def hears(self, text: str) -> None:
        while text not in self.text():
            self._news.clear()
            await self._news.wait()

    def read_on(self) -> None:
        self._open.set()

    @asynccontextmanager
    async def to(self, app: Callable[..., Awaitable[None]]) -> AsyncIterator[None]:
        running = asyncio.ensure_future(app(self._scope, self.receive, self.send))
        try:
            yield
        finally:
            self._closed.set()
            self._more.set()
            self.read_on()
            await asyncio.wait_for(running, PATIENCE_S)

    def text(self) -> str:
        return "".join(str(each.get("text") or each.get("body", b"").decode()) for each in self.heard).replace(" ", "")
