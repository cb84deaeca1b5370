"""A server that stops ends its streams, and a client ends those that it wants no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from comp_pool import PoolUnavailable
from tests.e2e.activity import ACTIVITY
from tests.e2e.dashboard import PATIENCE_S, PROGRESS, ROOT, fill, submitted
from tests.e2e.transports import by_events, by_websocket, socket_to, subscribe
from tests.processes import running_server


@dataclass(slots=True)
class Stream:
    """What a subscription tells, until it ends by a problem."""

    answers: AsyncIterator[dict[str, Any]]
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def end(self) -> BaseException | None:
        try:
            async for _ in self.answers:
                self.begun.set()
        except (ConnectionClosed, PoolUnavailable) as problem:
            return problem
        return None


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_that_is_stopped_ends_its_streams_and_itself_promptly(tmp_path: Path, workers: int) -> None:
    await fill(tmp_path / "pool")
    with (
        (tmp_path / "log").open("w") as log,
        running_server(tmp_path / "pool", workers=workers, log=log) as server,
    ):
        key = await submitted(server, ROOT)
        streams = [
            Stream(transport(server.url, document, **said))
            for transport in (by_websocket, by_events)
            for document, said in ((PROGRESS, {"id": key}), (ACTIVITY, {}))
        ]
        ending = [asyncio.create_task(stream.end()) for stream in streams]
        for stream in streams:
            await stream.begun.wait()
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        async with asyncio.timeout(PATIENCE_S):
            ends = await asyncio.gather(*ending)
        assert await stopping == 0
    for end in ends[:2]:
        # 1012, "Service Restart": clients are to come again (https://www.iana.org/assignments/websocket/).
        assert isinstance(end, ConnectionClosed)
        assert end.rcvd is not None
        assert end.rcvd.code == 1012
    for end in ends[2:]:
        assert "this server is stopping" in str(end)
    said = (tmp_path / "log").read_text()
    # The server need not break them off, as uvicorn does with requests that go on for too long.
    assert "timeout graceful shutdown exceeded" not in said
    assert "Traceback" not in said


async def test_while_a_server_drains_its_streams_say_that_it_is_unavailable(tmp_path: Path) -> None:
    await fill(tmp_path / "pool")
    with running_server(tmp_path / "pool", options=["--drain-seconds", "600"]) as server:
        key = await submitted(server, ROOT)
        async with socket_to(server.url) as socket, asyncio.timeout(PATIENCE_S):
            await subscribe(socket, "flow", PROGRESS, id=key)
            await subscribe(socket, "pool", ACTIVITY)
            server.process.terminate()
            said: dict[str, list[dict[str, Any]]] = {"flow": [], "pool": []}
            while any(not each or each[-1]["type"] != "complete" for each in said.values()):
                message = json.loads(await socket.recv())
                said[message["id"]].append(message)
        for each in said.values():
            [error] = each[-2]["payload"]["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
            assert error["message"].startswith("this server is stopping")
        server.process.terminate()  # A second signal does not wait.


async def test_a_client_that_has_seen_enough_says_so_and_may_subscribe_again_on_its_connection(tmp_path: Path) -> None:
    await fill(tmp_path / "pool")
    with running_server(tmp_path / "pool") as server:
        key = await submitted(server, ROOT)
        async with socket_to(server.url) as socket, asyncio.timeout(PATIENCE_S):
            for _ in range(3):
                await subscribe(socket, "same", PROGRESS, id=key)
                message = json.loads(await socket.recv())
                assert (message["id"], message["type"]) == ("same", "next")
                await socket.send(json.dumps({"id": "same", "type": "complete"}))
            await socket.send(json.dumps({"type": "ping"}))
            assert json.loads(await socket.recv()) == {"type": "pong"}
