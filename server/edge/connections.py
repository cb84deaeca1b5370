"""Connections that are read and written at a pace: uvicorn's protocols with sizes and deadlines.

uvicorn has none for headers, for the rest of a body that nobody waits for, or for clients that do not read
(https://www.uvicorn.org/settings/#timeouts). llhttp keeps what it has of a header and appends to it, at a cost that
grows with the square of the header's length.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.edge.visitors import Visitors

READ_BYTES_A_SECOND = 1_024
"""What a client has to take of an answer, at least, to be one that reads."""
REFUSAL = "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n"
TOO_LARGE = "431 Request Header Fields Too Large"
TOO_LATE = "408 Request Timeout"
TOO_MANY = "429 Too Many Requests"
RETRY_S = 5
"""When an address that has too many connections may try again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How large the head of a request (its line and headers) may be, in bytes, and what may take how many seconds."""

    head_bytes: int
    head_seconds: float
    write_seconds: float


class HeadTooLarge(Exception):
    """Raised from the parser's callback, so that it stops."""


class _Written(asyncio.Protocol):
    """Ends connections whose client does not read what it asked for."""

    pace: ClassVar[Pace]
    visitors: ClassVar[Visitors]
    transport: asyncio.Transport
    _stalled: asyncio.TimerHandle | None = None
    _unread = 0

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_stall()

    def connection_lost(self, problem: Exception | None) -> None:
        self._forget_stall()
        self.visitors.leave(self.transport)
        super().connection_lost(problem)

    def _watch(self) -> None:
        self._forget_stall()
        self._unread = self.transport.get_write_buffer_size()
        self._stalled = asyncio.get_running_loop().call_later(self.pace.write_seconds, self._look)

    def _look(self) -> None:
        """A large answer takes its time: what counts is that it is read at all."""
        read = self._unread - self.transport.get_write_buffer_size()
        if read >= READ_BYTES_A_SECOND * self.pace.write_seconds:
            self._watch()
            return
        log.info("a client did not read its answer")
        self.transport.abort()

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class WebSocketConnection(_Written, WebSocketsSansIOProtocol):
    """A WebSocket of a server with a `pace`."""


class HttpConnection(_Written, HttpToolsProtocol):
    """A connection of a server with a `pace`."""

    _deadline: asyncio.TimerHandle | None = None
    _is_one_too_many = False
    _at_head = True
    _unparsed = 0
    """Bytes that came since the parser last had something whole: a head, a piece of a body, or the end of one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_one_too_many = not self.visitors.enter(transport)
        self._await()

    def connection_lost(self, problem: Exception | None) -> None:
        self._arrived()
        super().connection_lost(problem)

    def data_received(self, data: bytes) -> None:
        if self._is_one_too_many:
            if not self.transport.is_closing():
                self._turn_away()
            return
        if self._at_head and self._deadline is None:
            self._await()
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > self.pace.head_bytes and not self.transport.is_closing():
            # Trailers and the extensions of chunks are headers too, when they do not end.
            self._refuse(TOO_LARGE)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.pace.head_bytes:
            raise HeadTooLarge
        self._at_head = False
        self._unparsed = 0
        self._arrived()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._at_head = True
        self._unparsed = 0
        self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._at_head and not self.transport.is_closing():
            self._await()  # The rest of a body that was answered without it.

    def send_400_response(self, msg: str) -> None:
        """What can't be parsed, or was not to be."""
        head = sum(len(name) + len(value) + 4 for name, value in self.headers or ()) + len(self.url or b"")
        if head > self.pace.head_bytes:
            self._refuse(TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _turn_away(self) -> None:
        """Once there is a request to answer: clients take what comes before that for a broken connection."""
        self._arrived()
        log.info("a connection was refused: its address has too many")
        text = "Your address has too many connections to this pool: use one for several requests.\n"
        head = REFUSAL.format(status=TOO_MANY, length=len(text))
        self.transport.write(f"{head}retry-after: {RETRY_S}\r\nconnection: close\r\n\r\n{text}".encode())
        self.transport.close()

    def _await(self) -> None:
        self._arrived()
        self._deadline = asyncio.get_running_loop().call_later(self.pace.head_seconds, self._late)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(TOO_LATE)

    def _refuse(self, status: str) -> None:
        """Answers nothing into an answer under way, or to who asked nothing yet."""
        log.info("a request was refused: %s", status)
        self._arrived()
        under_way = self.cycle is not None and not self.cycle.response_complete
        if not under_way and self._unparsed:
            text = f"{status.partition(' ')[2]}\n"
            head = REFUSAL.format(status=status, length=len(text))
            self.transport.write(f"{head}connection: close\r\n\r\n{text}".encode())
        self.transport.close()


def http_protocol(pace: Pace, visitors: Visitors) -> type[asyncio.Protocol]:
    """For uvicorn, which makes a protocol for each connection."""
    return type("HttpConnection", (HttpConnection,), {"pace": pace, "visitors": visitors})


def websocket_protocol(pace: Pace, visitors: Visitors) -> type[asyncio.Protocol]:
    """Likewise."""
    return type("WebSocketConnection", (WebSocketConnection,), {"pace": pace, "visitors": visitors})
