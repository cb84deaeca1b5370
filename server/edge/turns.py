"""Where several address groups ask, requests of one wait for one another, so that those of others need not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.turns import asking
from server.edge.groups import group_in

LONGEST_S = 1.0
"""What takes longer waits for something itself, the sandbox or a subscription's next event, and computes little."""
ALONE_AFTER_S = 1.0
"""When a group is alone: nobody else has asked for so long."""
SUBSCRIBE = '"subscribe"'
"""The type of the messages of graphql-transport-ws that start something."""


class Turns:
    """How many requests of each address group are worked on at once. A group that is alone has as many as it likes: a
    disk serves a hundred writes together in the time of one."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            most: requests of a group.
            clock: the time in seconds, of any origin.
        """
        self._most = most
        self._clock = clock
        self._groups: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}
        self._latest = ""
        self._others_until = 0.0

    async def take(self, group: str) -> Turn | None:
        """A turn of the group, as soon as there is one: first come, first served. None for a group that needs none."""
        if self._is_alone(group):
            return None
        turns = self._groups.get(group)
        if turns is None:
            turns = self._groups[group] = asyncio.Semaphore(self._most)
        self._users[group] = self._users.get(group, 0) + 1
        try:
            await turns.acquire()
        except asyncio.CancelledError:
            self._forget(group)
            raise
        return Turn(lambda: self._release(group))

    def _is_alone(self, group: str) -> bool:
        now = self._clock()
        if group != self._latest:
            self._latest, self._others_until = group, now + ALONE_AFTER_S
        return now > self._others_until

    def _release(self, group: str) -> None:
        self._groups[group].release()
        self._forget(group)

    def _forget(self, group: str) -> None:
        self._users[group] -= 1
        if not self._users[group]:
            del self._users[group], self._groups[group]


class Turn:
    """It ends once, or by itself after `LONGEST_S`."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release = release
        self._timer = asyncio.get_running_loop().call_later(LONGEST_S, self.end)
        self._has_ended = False

    def end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._timer.cancel()
            self._release()


class InTurns:
    """Starts a request once it is its group's turn and its body is here: an upload takes no turn, however slow."""

    def __init__(self, app: ASGIApp, turns: Turns) -> None:
        self._app = app
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        group = group_in(scope)
        asking.set(group)
        connection = _Connection(self._turns, group, receive, send)
        if scope["type"] == "http" and not _has_body(scope):
            await connection.wait()
        try:
            await self._app(scope, connection.receive, connection.send)
        finally:
            connection.end()


class _Connection:
    """A request, or a WebSocket, whose messages that start something have turns each."""

    def __init__(self, turns: Turns, group: str, receive: Receive, send: Send) -> None:
        self._turns = turns
        self._group = group
        self._receive = receive
        self._send = send
        self._held: list[Turn] = []
        self._has_begun = False

    async def wait(self) -> None:
        self._has_begun = True
        if turn := await self._turns.take(self._group):
            self._held.append(turn)

    async def receive(self) -> Message:
        message = await self._receive()
        # A request has one turn, however late it looks whether its client is still there.
        if _starts(message) and not (message["type"] == "http.request" and self._has_begun):
            await self.wait()
        return message

    async def send(self, message: Message) -> None:
        """What is answered has been worked on."""
        if self._held:
            self._held.pop(0).end()
        await self._send(message)

    def end(self) -> None:
        for turn in self._held:
            turn.end()


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _starts(message: Message) -> bool:
    if message["type"] == "websocket.receive":
        return SUBSCRIBE in (message.get("text") or "")
    return message["type"] == "http.request" and not message.get("more_body", False)
