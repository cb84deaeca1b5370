"""Dashboards over real connections: graphql-transport-ws and server-sent events, at whichever process answers."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from comp_pool import PoolClient, PoolRefused, PoolUnavailable
from comp_pool.flows import FlowUpdate, watch_flow
from sandbox import Sandbox
from server.serving import UNFINISHED_REQUESTS_S
from storage import open_store
from tests.conftest import lacking
from tests.e2e.flows import SUBMIT, Volunteer, submission
from tests.processes import RunningServer, running_server, until
from tests.resolvers.flows.hive import open_pool
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.written import NEVER, below
from tests.runtimes import start_runtime
from volunteer.calls import PoolCalls

PATIENCE_S = 180.0
ROOT = Level(
    [Job("count", "only", repeat=below(4)), Job("number", "zero", condition=NEVER)],
    [
        Level([Job("number", "three")] * 30 + [Job("flaky", "one", policy={"max_errors": 1})] * 10),
        Level([Job("object", "pair")] * 20, [Level([Job("bare", condition=NEVER)] * 5 + [Job("grow")])]),
    ],
)
PROGRESS = """subscription Progress($id: ID!, $after: String) {
  flowProgress(id: $id, after: $after) {
    cursor state generation reset
    progress { total fraction byState { waiting queued running completed failed skipped cancelled } }
    changed { number state iteration }
  }
}"""
NODES = """query Nodes($key: String!) { flow(key: $key) { nodes(first: 100) { nodes { number state iteration } } } }"""
EXPIRED = "{ pool { status { tasks { expired } } } }"
ACTIVITY = """subscription Activity($after: String) {
  poolActivity(after: $after) { cursor hosts activeHosts tasks { ready leased reported } }
}"""
STATUS = "{ pool { status { hosts activeHosts tasks { ready leased reported } } } }"
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
CREATE_JOB = """mutation { createJob(input: {name: "Work", executeFunction: "(v, c) => c"}) {
  userErrors { message } } }"""
CREATE_VARIABLES = """mutation { createVariables(input: {job: "work", variables: [{value: 1}, {value: 2}]}) {
  userErrors { message } } }"""

Subscribe = Callable[..., AsyncIterator[dict[str, Any]]]


@asynccontextmanager
async def socket_to(url: str) -> AsyncIterator[ClientConnection]:
    """A connection that speaks graphql-transport-ws
    (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""
    address = f"ws{url.removeprefix('http')}/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def subscribe(socket: ClientConnection, id_: str, document: str, **variables: Any) -> None:
    payload = {"query": document, "variables": variables}
    await socket.send(json.dumps({"id": id_, "type": "subscribe", "payload": payload}))


async def by_websocket(url: str, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    async with socket_to(url) as socket:
        await subscribe(socket, "1", document, **variables)
        while (message := json.loads(await socket.recv()))["type"] != "complete":
            assert (message["type"], message["id"]) == ("next", "1"), message
            assert "errors" not in message["payload"], message
            yield message["payload"]["data"]


async def by_events(url: str, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    async with PoolClient(url) as client:
        async for data in client.subscribe(document, **variables):
            yield data


TRANSPORTS: dict[str, Subscribe] = {"graphql-transport-ws": by_websocket, "SSE": by_events}
TRANSPORT = pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)


@dataclass(slots=True)
class Dashboard:
    """What a client makes of what it is sent."""

    jobs: dict[int, tuple[str, int]] = field(default_factory=dict)
    deltas: list[dict[str, Any]] = field(default_factory=list)

    def take(self, delta: dict[str, Any], jobs: Callable[[], dict[int, tuple[str, int]]]) -> None:
        """`jobs` reads all of them, for a delta that tells the client to."""
        counts = delta["progress"]
        assert sum(counts["byState"].values()) == counts["total"]
        if self.deltas and self.deltas[-1]["generation"] == delta["generation"]:
            before = self.deltas[-1]["progress"]
            assert counts["fraction"] >= before["fraction"]
            assert counts["byState"]["completed"] >= before["byState"]["completed"]
        self.deltas.append(delta)
        if delta["reset"]:
            self.jobs = jobs()
        self.jobs |= _by_number(delta["changed"])

    @property
    def ended(self) -> bool:
        return bool(self.deltas) and self.deltas[-1]["state"] in ENDED

    async def follow(self, server: RunningServer, key: str, transport: Subscribe, most: int = 1_000_000) -> None:
        """Watch until the flow ends or `most` deltas came, and go on from where it was."""
        after = self.deltas[-1]["cursor"] if self.deltas else None
        async with aclosing(transport(server.url, PROGRESS, id=key, after=after)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                self.take(answer["flowProgress"], lambda: nodes(server, key))
                most -= 1
                if not most:
                    return


def nodes(server: RunningServer, key: str) -> dict[int, tuple[str, int]]:
    return _by_number(server.ask(NODES, key=key)["flow"]["nodes"]["nodes"])


def _by_number(jobs: list[dict[str, Any]]) -> dict[int, tuple[str, int]]:
    return {each["number"]: (each["state"], each["iteration"]) for each in jobs}


async def fill(database: Path) -> None:
    async with open_store(str(database)) as store, Sandbox(workers=1) as sandbox:
        # What a killed server handed out comes back soon.
        await open_pool(await start_runtime(store, sandbox), delay_bound_seconds=5, max_total=100)


async def submitted(server: RunningServer, root: Level) -> str:
    async with PoolClient(server.url) as client:
        key: str = (await client.mutate(SUBMIT, **submission(root), onFailure="CONTINUE"))["flow"]["key"]
        return key


@asynccontextmanager
async def volunteers(server: RunningServer, count: int = 2) -> AsyncIterator[None]:
    """Hosts that take their time, while the block runs."""
    ended = asyncio.Event()
    async with PoolClient(server.url) as client, asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(Volunteer([client], random.Random(number), most=3, pause_s=0.1).work(ended))
        yield
        ended.set()


async def test_clients_at_two_processes_see_a_flow_to_its_end_whatever_connections_they_lose(tmp_path: Path) -> None:
    await fill(tmp_path / "pool")
    chance = random.Random(1)
    steady = [Dashboard() for _ in range(4)]
    jumpy = Dashboard()
    with running_server(tmp_path / "pool", workers=2) as server:
        key = await submitted(server, ROOT)
        async with volunteers(server), asyncio.TaskGroup() as group:
            for at, dashboard in enumerate(steady):
                group.create_task(dashboard.follow(server, key, [by_websocket, by_events][at % 2]))
            while not jumpy.ended:
                await jumpy.follow(server, key, chance.choice([by_websocket, by_events]), chance.randint(1, 4))
        final = nodes(server, key)
    for dashboard in (*steady, jumpy):
        assert dashboard.deltas[-1]["state"] == "COMPLETED"
        assert dashboard.deltas[-1]["progress"]["fraction"] == 1.0
        assert [delta["reset"] for delta in dashboard.deltas] == [True] + [False] * (len(dashboard.deltas) - 1)
        assert dashboard.jobs == final
        assert len(dashboard.deltas) > 5


async def test_servers_whose_machines_disagree_about_the_time_hide_nothing_and_take_no_leases_away(
    shared_location: str, tmp_path: Path
) -> None:
    if shutil.which("faketime") is None:
        lacking("faketime")
    async with open_store(shared_location) as store, Sandbox(workers=1) as sandbox:
        await open_pool(await start_runtime(store, sandbox), delay_bound_seconds=60)
    dashboards = [Dashboard() for _ in range(2)]
    with (
        (tmp_path / "log").open("w") as log,
        running_server(shared_location) as right,
        running_server(shared_location, log=log, under=("faketime", "-f", "+90s")) as ahead,
    ):
        key = await submitted(right, ROOT)
        async with volunteers(right), volunteers(ahead), asyncio.TaskGroup() as group:
            for dashboard, server in zip(dashboards, (right, ahead), strict=True):
                group.create_task(dashboard.follow(server, key, by_websocket))
        final = nodes(right, key)
        assert right.ask(EXPIRED)["pool"]["status"]["tasks"] == {"expired": 0}
    for dashboard in dashboards:
        assert dashboard.jobs == final
        assert dashboard.deltas[-1]["state"] == "COMPLETED"
    # A database that answered slowly is believed only to within half of the time it took.
    assert re.search(r"the database's clock is -(89|9[01])\.\d s from this machine's", (tmp_path / "log").read_text())


async def test_a_client_goes_on_where_it_was_when_the_server_was_killed_and_started_again(tmp_path: Path) -> None:
    await fill(tmp_path / "pool")
    dashboard = Dashboard()
    updates: list[FlowUpdate] = []
    under_way = asyncio.Event()
    with running_server(tmp_path / "pool") as server:
        key = await submitted(server, ROOT)

        async def watch() -> None:
            async with PoolClient(server.url) as client:
                async for update in watch_flow(client, key):
                    updates.append(update)
                    if len(updates) == 4:
                        under_way.set()
                    dashboard.take(update.delta, lambda: _of_tree(update.tree or {}))  # noqa: B023 - called at once

        async with volunteers(server), asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            await under_way.wait()
            await asyncio.to_thread(server.stop, signal.SIGKILL)
            before = len(updates)
            with running_server(tmp_path / "pool", port=server.port) as restarted:
                await watching
                assert dashboard.jobs == nodes(restarted, key)
    assert len(updates) > before
    # Once at its beginning, and not again.
    assert [update.tree is not None for update in updates] == [True] + [False] * (len(updates) - 1)


def _of_tree(level: dict[str, Any]) -> dict[int, tuple[str, int]]:
    found = {int(job["id"]): (job["state"], job["iteration"]) for job in level["jobs"]}
    for below_ in level["dependent"]:
        found |= _of_tree(below_)
    return found


@dataclass(slots=True)
class PoolDashboard:
    """What a client makes of what it is told of the pool."""

    url: str
    cursor: str | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    deltas: list[dict[str, Any]] = field(default_factory=list)

    async def follow(self, transport: Subscribe, enough: Callable[[], bool]) -> None:
        """Watch, from where it was, until it has seen enough."""
        async with aclosing(transport(self.url, ACTIVITY, after=self.cursor)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                delta = answer["poolActivity"]
                self.cursor = delta.pop("cursor")
                self.deltas.append({name: count for name, count in delta.items() if count is not None})
                self.counts |= self.deltas[-1]
                if enough():
                    return


@TRANSPORT
async def test_what_changes_in_the_pool_is_told_and_a_client_that_comes_back_misses_nothing(
    tmp_path: Path, transport: Subscribe
) -> None:
    empty = {"ready": 0, "leased": 0, "reported": 0}
    with running_server(tmp_path / "pool", workers=2) as server:
        dashboard = PoolDashboard(server.url)
        async with asyncio.timeout(PATIENCE_S):
            await dashboard.follow(transport, lambda: True)
            server.ask(CREATE_JOB)
            server.ask(CREATE_VARIABLES)
            await dashboard.follow(transport, lambda: bool(dashboard.counts["tasks"]["ready"] == 2))
            # It is away while the pool goes on, and may come back to the other process.
            async with PoolClient(server.url) as client:
                claim = await PoolCalls(client).claim(host="", name="", first=1, wanted={})
            assert len(claim.tasks) == 1
            one_is_leased = {**empty, "ready": 1, "leased": 1}
            await dashboard.follow(transport, lambda: bool(dashboard.counts["tasks"] == one_is_leased))
            for _ in range(4):  # Some of them go to the process whose counts are the older ones.
                await dashboard.follow(transport, lambda: True)
        known = dashboard.counts
        # Whichever process answers counts again within a second.
        until(lambda: known == server.ask(STATUS)["pool"]["status"], "the pool's own counts are those that were told")
    assert dashboard.deltas[0] == {"hosts": 0, "activeHosts": 0, "tasks": empty}
    assert {"tasks": {**empty, "ready": 2}} in dashboard.deltas
    assert dashboard.deltas[-1] == {}


async def test_a_cursor_that_is_none_of_the_pool_is_refused(pool_server: RunningServer) -> None:
    async with PoolClient(pool_server.url) as client:
        with pytest.raises(PoolRefused, match="no cursor of this subscription") as refused:
            await anext(client.subscribe(ACTIVITY, after="yesterday"))
    assert (refused.value.refusal.code, refused.value.refusal.field) == ("BAD_INPUT", "after")


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
        # The server need not break them off, as it does with requests that go on for so long.
        async with asyncio.timeout(UNFINISHED_REQUESTS_S / 2):
            ends = await asyncio.gather(*ending)
        assert await stopping == 0
    for end in ends[:2]:
        # 1012, "Service Restart": clients are to come again (https://www.iana.org/assignments/websocket/).
        assert isinstance(end, ConnectionClosed)
        assert end.rcvd is not None
        assert end.rcvd.code == 1012
    for end in ends[2:]:
        assert "this server is stopping" in str(end)
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_while_a_server_drains_its_streams_say_that_it_is_unavailable(tmp_path: Path) -> None:
    await fill(tmp_path / "pool")
    with running_server(tmp_path / "pool", options=["--drain-seconds", "20"]) as server:
        key = await submitted(server, ROOT)
        async with socket_to(server.url) as socket, asyncio.timeout(10):
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


async def test_a_flow_that_is_not_there_can_not_be_watched(pool_server: RunningServer) -> None:
    async with PoolClient(pool_server.url) as client:
        with pytest.raises(PoolRefused, match="there is no flow 'nothing'") as refused:
            await anext(client.subscribe(PROGRESS, id="nothing"))
    assert refused.value.refusal.code == "NOT_FOUND"
    async with socket_to(pool_server.url) as socket, asyncio.timeout(PATIENCE_S):
        await subscribe(socket, "1", PROGRESS, id="nothing")
        message = json.loads(await socket.recv())
        assert message["type"] == "next"
        assert message["payload"]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert json.loads(await socket.recv()) == {"id": "1", "type": "complete"}
