"""What listens for code that got out, and what the browser itself logged of its network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

DOMAIN = "canary.invalid"


class Canary(asyncio.DatagramProtocol):
    """A TCP and a UDP port that note whatever arrives, even a connection that says nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.port = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.append(f"datagram {data!r}")

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = len(self.heard)
        self.heard.append("a connection")
        self.heard[at] = (await reader.readline()).decode(errors="replace")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<!doctype html>")
        writer.close()


@asynccontextmanager
async def listening_canary() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.connected, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: canary, local_addr=("127.0.0.1", canary.port)
    )
    async with server:
        yield canary
    transport.close()


def logged(net_log: Path) -> str:
    """All that Chromium's network service did (chrome://net-export), of a browser that has ended: each request, each
    name looked up, each socket."""
    events = json.loads(net_log.read_text(encoding="utf-8", errors="replace"))["events"]
    return json.dumps([event["params"] for event in events if "params" in event])
