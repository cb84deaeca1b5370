"""Turns between the requests of an address group."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from server.edge import turns
from server.edge.turns import InTurns, Turns
from tests.processes import RunningServer
from tests.warm_servers import warm_server

OURS, NEIGHBOURS, OTHERS = "192.0.2.1", "192.0.2.9", "198.51.100.1"
SUBSCRIBE = {"type": "websocket.receive", "text": '{"type":"subscribe","id":"1"}'}
PONG = {"type": "websocket.receive", "text": '{"type":"pong"}'}


class Application:
    """Says which requests it works on, and answers each when the test wants it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.answers: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"]
        if scope["type"] == "websocket":
            while (await receive())["type"] != "websocket.disconnect":
                self.begun.append(name)
            return
        while (await receive()).get("more_body"):
            pass
        self.begun.append(name)
        await self.answers.setdefault(name, asyncio.Event()).wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()


class Requests:
    """Requests under way. What each is about to receive is put in `bodies`."""

    def __init__(self, most: int) -> None:
        self.application = Application()
        self.now_s = 0.0
        self._turns = Turns(most, lambda: self.now_s)
        self.use(self.application)
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.bodies: dict[str, asyncio.Queue[Message]] = {}

    def use(self, application: ASGIApp) -> None:
        self._edge = InTurns(application, self._turns)

    async def begin(self, name: str, address: str, *, kind: str = "http", body: tuple[Message, ...] = ()) -> None:
        headers = [(b"content-length", b"1")] if body else []
        scope = {"type": kind, "path": name, "client": (address, 1), "headers": headers}
        queue = self.bodies[name] = asyncio.Queue()
        for part in body or ({"type": "http.request"},) * (kind == "http"):
            queue.put_nowait(part)
        self.tasks[name] = asyncio.create_task(self._edge(scope, queue.get, _ignore))
        await self.settle()

    async def answer(self, name: str) -> None:
        self.application.answers[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def begun(self) -> list[str]:
        return self.application.begun


async def _ignore(_: Message) -> None:
    pass


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    started = Requests(most=2)
    yield started
    for task in started.tasks.values():
        task.cancel()
    await asyncio.gather(*started.tasks.values(), return_exceptions=True)


async def test_a_group_waits_for_its_own_requests_only(requests: Requests) -> None:
    for name, address in (("a", OURS), ("b", NEIGHBOURS), ("c", OURS), ("d", NEIGHBOURS), ("e", OTHERS)):
        await requests.begin(name, address)
    assert requests.begun == ["a", "b", "e"]
    await requests.answer("b")
    assert requests.begun == ["a", "b", "e", "c"]
    await requests.answer("e")
    assert requests.begun == ["a", "b", "e", "c"]


async def test_a_group_that_is_alone_waits_for_nothing(requests: Requests) -> None:
    await requests.begin("a", OTHERS)
    for name in "bcd":
        await requests.begin(name, OURS)
    assert requests.begun == ["a", "b", "c"]
    requests.now_s = 2.0
    await requests.begin("e", OURS)
    assert requests.begun == ["a", "b", "c", "e"]
    await requests.begin("f", OTHERS)
    await requests.begin("g", OURS)
    assert requests.begun == ["a", "b", "c", "e", "f"]


async def test_who_leaves_gives_the_turn_to_the_next(requests: Requests) -> None:
    for name in "abcd":
        await requests.begin(name, OURS)
    requests.tasks["c"].cancel()
    requests.tasks["a"].cancel()
    await requests.settle()
    assert requests.begun == ["a", "b", "d"]


async def test_a_body_on_its_way_takes_no_turn(requests: Requests) -> None:
    for name in "ab":
        await requests.begin(name, OURS, body=({"type": "http.request", "more_body": True},))
    await requests.begin("c", OURS)
    await requests.begin("d", OURS)
    assert requests.begun == ["c", "d"]
    requests.bodies["a"].put_nowait({"type": "http.request"})
    await requests.answer("c")
    assert requests.begun == ["c", "d", "a"]


async def test_what_waits_for_something_itself_loses_its_turn(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 0.0)
    for name in "abc":
        await requests.begin(name, OURS)
    await requests.settle()
    assert requests.begun == ["a", "b", "c"]


async def test_a_request_that_is_being_answered_takes_no_second_turn(requests: Requests) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        requests.begun.append(scope["path"])
        await asyncio.Event().wait()

    requests.use(stream)
    for name in "abc":
        await requests.begin(name, OURS)
    assert requests.begun == ["a", "b", "c"]


async def test_messages_of_a_websocket_that_start_something_have_turns(requests: Requests) -> None:
    await requests.begin("w", OURS, kind="websocket")
    for message in (SUBSCRIBE, PONG, SUBSCRIBE, SUBSCRIBE, PONG):
        requests.bodies["w"].put_nowait(message)
    await requests.settle()
    assert requests.begun == ["w"] * 3
    requests.tasks["w"].cancel()
    await requests.begin("a", OURS)
    assert requests.begun[3:] == ["a"]


@pytest.fixture(scope="module")
def pool() -> Iterator[RunningServer]:
    with warm_server("memory", options=("--auth", "open", "--address-turns", "1")) as server:
        yield server


async def test_all_are_answered_in_the_end(pool: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=pool.url, timeout=60) as http:
        asked: list[Any] = [http.get("/jobs") for _ in range(20)]
        asked += [http.post("/graphql", json={"query": "{ pool { name } }"}) for _ in range(20)]
        answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}


def test_subscriptions_hold_no_turn_for_good(pool: RunningServer) -> None:
    address = pool.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv())["type"] == "connection_ack"
        for at in range(5):
            query = "subscription { poolActivity { cursor } }"
            socket.send(json.dumps({"type": "subscribe", "id": str(at), "payload": {"query": query}}))
        answered = set[str]()
        while len(answered) < 5:
            answered.add(json.loads(socket.recv(timeout=60))["id"])
    assert httpx.get(f"{pool.url}/jobs").status_code == 200
