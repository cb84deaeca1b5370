"""A stranger who means harm, from an address of its own: `python -m tests.e2e.attacker URL TOKEN SECONDS`.

A hundred connections flood, bomb and dawdle until the time is over; what they did is then said as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

ADDRESS = "127.66.6.6"
"""Of another group than that of the pool's other clients."""
BURN = "(variable, result, context) => { const end = Date.now() + 300; while (Date.now() < end); return true; }"
JOB = {"name": "Burn", "executeFunction": "(v, c) => c", "validateResult": BURN}
CREATE = "mutation($job: CreateJobInput!) { createJob(input: $job) { userErrors { message } } }"
ADD = 'mutation($v: [VariableInput!]!) { createVariables(input: {job: "burn", variables: $v}) { userErrors { code } } }'
MANY_FIELDS = "{" + " flows{edges{cursor}}" * 480 + "}"
SUBSCRIBE = "subscription { poolActivity { cursor } }"


class Attacker:
    """The ways in which a pool is attacked, each over a connection of its own, for as long as it is let."""

    def __init__(self, url: str, token: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._token = token
        self.done: Counter[str] = Counter()

    async def attack(self, seconds: float) -> None:
        await self._ask({"query": CREATE, "variables": {"job": JOB}})
        ways: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (40, self._flood),
            (15, self._bomb),
            (10, self._burn),
            (15, self._dawdle),
            (10, self._read_nothing),
            (10, self._subscribe),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for number, way in ways:
                    for _ in range(number):
                        group.create_task(self._over_and_over(way))

    async def _over_and_over(self, way: Callable[[], Awaitable[None]]) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                await way()
            self.done[way.__name__.strip("_")] += 1
            await asyncio.sleep(0.02)

    async def _flood(self) -> None:
        reader, writer = await self._connect()
        try:
            for _ in range(50):
                writer.write(b"GET /jobs HTTP/1.1\r\nhost: localhost\r\n\r\n")
                await _answer(reader)
                self.done["requests"] += 1
        finally:
            writer.close()

    async def _bomb(self) -> None:
        await self._ask({"query": MANY_FIELDS})
        await self._post("/jobs/burn/variables", "[" + "[]," * 300_000 + "[]]")
        await self._post("/graphql", '{"query": "{pool{name}}", "variables": ' + "[" * 200_000 + "]" * 200_000 + "}")

    async def _burn(self) -> None:
        await self._ask({"query": ADD, "variables": {"v": [{"value": at} for at in range(150)]}})

    async def _dawdle(self) -> None:
        _, writer = await self._connect()
        try:
            for letter in "GET /jobs HTTP/1.1\r\nx-slow: " + "a" * 10_000:
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(0.2)
        finally:
            writer.close()

    async def _read_nothing(self) -> None:
        _, writer = await self._connect()
        try:
            writer.write(b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n" * 200)
            await asyncio.sleep(10)
        finally:
            writer.close()

    async def _subscribe(self) -> None:
        body = json.dumps({"query": SUBSCRIBE})
        await self._post("/graphql", body, accept="text/event-stream")

    async def _ask(self, body: dict[str, object]) -> None:
        await self._post("/graphql", json.dumps(body))

    async def _post(self, path: str, body: str, accept: str = "*/*") -> None:
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self._token}\r\naccept: {accept}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        reader, writer = await self._connect()
        try:
            writer.write(head.encode() + body.encode())
            await _answer(reader)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, local_addr=(ADDRESS, 0))


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await (reader.readexactly(int(length)) if length else reader.read())


async def _main(url: str, token: str, seconds: float) -> None:
    attacker = Attacker(url, token)
    await attacker.attack(seconds)
    print(json.dumps(attacker.done))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
