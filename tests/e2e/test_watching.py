"""Dashboards over real connections, at whichever process answers."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from comp_pool import PoolClient, PoolRefused
from comp_pool.flows import FlowUpdate, watch_flow
from sandbox import Sandbox
from storage import open_store
from tests.conftest import lacking
from tests.e2e.dashboard import PATIENCE_S, PROGRESS, ROOT, Dashboard, fill, nodes, submitted, volunteers
from tests.e2e.transports import by_events, by_websocket, socket_to, subscribe
from tests.processes import RunningServer, running_server
from tests.resolvers.flows.hive import open_pool
from tests.runtimes import start_runtime
from tests.warm_servers import warm_server

EXPIRED = "{ pool { status { tasks { expired } } } }"


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
        running_server(shared_location, log=log, under=("faketime", "--exclude-monotonic", "-f", "+90s")) as ahead,
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
    with warm_server(tmp_path / "pool") as server:
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
            with warm_server(tmp_path / "pool", port=server.port) as restarted:
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
