"""A load generator: requests of one kind over connections that stay open, from a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from bench.processes import SPAWN

CONNECTIONS = 8


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class LoadGenerator:
    def __init__(self, process: ProcessPoolExecutor) -> None:
        self._process = process

    def send(self, port: int, request: bytes, count: int) -> float:
        """Send `request` `count` times, which is a multiple of CONNECTIONS, to a server on 127.0.0.1; how many
        seconds it took.

        Raises ValueError for an answer that is not 200.
        """
        return self._process.submit(_drive, port, request, count).result()


@contextmanager
def load_generator() -> Iterator[LoadGenerator]:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as process:
        yield LoadGenerator(process)


def answer(port: int, request: bytes) -> bytes:
    """The body of the answer to one `request`, sent from this process."""
    return asyncio.run(_repeat(port, request, 1))


def _drive(port: int, request: bytes, count: int) -> float:
    async def all_at_once() -> None:
        await asyncio.gather(*(_repeat(port, request, count // CONNECTIONS) for _ in range(CONNECTIONS)))

    began = time.perf_counter()
    asyncio.run(all_at_once())
    return time.perf_counter() - began


async def _repeat(port: int, request: bytes, count: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b""
    for _ in range(count):
        writer.write(request)
        body = await _body(reader)
    writer.close()
    await writer.wait_closed()
    return body


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *headers = head.lower().split(b"\r\n")
    length = next(int(line.partition(b":")[2]) for line in headers if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    if not status.startswith(b"http/1.1 200 "):
        raise ValueError(f"the server answered {status.decode()}: {body.decode()}")
    return body
