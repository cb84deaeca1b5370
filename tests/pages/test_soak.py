"""Many browsers and native volunteers finish a large flow while the dashboard shows it."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, expect

from bench.dashboard import OBSERVE
from tests.pages import soak_flow
from tests.pages.dashboard import Dashboard
from tests.pages.volunteer import Volunteer, until
from tests.processes import RunningServer, command_line, descendants, environment, running_server, started

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.soak]

PAGES = int(os.environ.get("COMP_POOL_SOAK_PAGES", "50"))
NATIVES = 3
AT_ONCE = 4
"""Pages that load at the same time."""
PATIENCE_S = 840.0
LOOK_S = 1.0

PROGRESS = "query($key: String!) { flow(key: $key) { state reason progress { total byState { completed } } } }"
NODES = """query($key: String!, $after: String) { flow(key: $key) { nodes(first: 50, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { as state iteration result runs(first: 10) { nodes { results { verdict error host { key name } } } } }
} } }"""
COMPLETED = """document.querySelector(".counts .is-COMPLETED")?.textContent ?? "" """


@dataclass
class Watch:
    """What was seen of the dashboard's page of a flow while it ran."""

    took_s: float = 0.0
    behind_s: list[float] = field(default_factory=list)
    """How long after the API's count the page showed as much, each time that they were compared."""
    longest_ms: float = 0.0

    async def follow(self, dashboard: Dashboard, server: RunningServer, key: str) -> None:
        """Compare the page with the API until the flow has ended."""
        began = time.monotonic()
        while (flow := await self._compare(dashboard, server, key))["state"] == "RUNNING":
            # It may have ended since.
            assert await dashboard.page.locator(".liveness").inner_text() in ("live", "complete")
            await asyncio.sleep(LOOK_S)
        self.took_s = time.monotonic() - began
        assert flow["state"] == "COMPLETED", (flow["reason"], await _errors(server, key))
        self.longest_ms = await dashboard.page.evaluate("longest")

    async def _compare(self, dashboard: Dashboard, server: RunningServer, key: str) -> dict[str, Any]:
        flow: dict[str, Any] = (await _ask(server, PROGRESS, key=key))["flow"]
        told: int = flow["progress"]["byState"]["completed"]
        since = time.monotonic()

        async def shows_as_much() -> bool:
            return await _completed(dashboard) >= told

        await until(shows_as_much, f"{told} completed runs on the dashboard", 60)
        self.behind_s.append(time.monotonic() - since)
        return flow

    def __str__(self) -> str:
        looks = len(self.behind_s)
        return (
            f"dashboard: {max(self.behind_s):.2f} s behind the API at most, {sum(self.behind_s) / looks:.2f} s on"
            f" average of {looks} looks; longest task {self.longest_ms:.0f} ms"
        )


async def test_many_browsers_and_native_volunteers_finish_a_flow_of_2000_jobs_while_the_dashboard_shows_it(
    chromium: Browser, tmp_path: Path, pictures: Path
) -> None:
    root = soak_flow.flow()
    result, ends = soak_flow.meaning(root)
    assert result
    assert len(ends) == 2_000
    watch = Watch()
    with running_server(tmp_path / "pool", workers=2) as server:
        async with asyncio.timeout(PATIENCE_S), _volunteers(chromium, server) as volunteers:
            key = soak_flow.submit(server, root)
            async with _dashboard(chromium, server, key) as dashboard:
                with _natives(server, tmp_path):
                    await asyncio.gather(*(each.start() for each in volunteers))
                    await watch.follow(dashboard, server, key)
                    await expect(dashboard.page.locator(".head .badge")).to_have_text("completed")
                    shown = dashboard.page.locator("details", has_text="Result").locator("pre")
                    await expect(shown).to_contain_text(f'"total": {result["total"]}')
                    await until(lambda: _is_idle(server), "no task to be ready or leased")
                await dashboard.page.screenshot(path=pictures / "soak-dashboard.png")
                print(f"{PAGES} pages and {NATIVES} native volunteers: {watch.took_s:.1f} s\n{watch}\n{_memory()}")
                assert dashboard.complaints == [said for each in volunteers for said in each.complaints] == []
            nodes = await _nodes(server, key)
    assert {each["as"]: (each["state"], each["iteration"], each["result"]) for each in nodes} == {
        name: (end.state.upper(), end.repeats, end.result) for name, end in ends.items()
    }
    given = _given(nodes)
    for kind, hosts in given.items():
        each = f"{min(hosts.values())} to {max(hosts.values())} each" if hosts else ""
        print(f"{kind}: {hosts.total():,} results by {len(hosts)} volunteers, {each}")
    print(f"{len(nodes) / watch.took_s:.1f} jobs a second, {len(nodes):,} in all")
    assert given["browser"].total() >= PAGES
    assert given["native"].total() > 0


def _given(nodes: Sequence[dict[str, Any]]) -> dict[str, Counter[str]]:
    """How many results each host gave, by kind of volunteer; never two for one run."""
    given: dict[str, Counter[str]] = {"browser": Counter(), "native": Counter()}
    for run in (run for each in nodes for run in each["runs"]["nodes"]):
        hosts = [vote["host"] for vote in run["results"]]
        assert len({host["key"] for host in hosts}) == len(hosts)
        for host in hosts:
            given["browser" if host["name"] == "browser" else "native"][host["key"]] += 1
    return given


@asynccontextmanager
async def _volunteers(chromium: Browser, server: RunningServer) -> AsyncIterator[list[Volunteer]]:
    """Pages that are ready to start, each in a browser of its own as far as it can tell."""
    turn = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def visit() -> Volunteer:
            async with turn:
                context = await chromium.new_context()
                stack.push_async_callback(context.close)
                return await Volunteer.visit(context, server, workers=1, share=100)

        yield await asyncio.gather(*(visit() for _ in range(PAGES)))


@asynccontextmanager
async def _dashboard(chromium: Browser, server: RunningServer, key: str) -> AsyncIterator[Dashboard]:
    """The page of a flow, once it is live, with its longest task so far (ms) in `longest`."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    try:
        await context.add_init_script(OBSERVE)
        dashboard = await Dashboard.visit(context, server, f"flows/{key}")
        await dashboard.sees("live")
        await dashboard.picture.wait_for()
        yield dashboard
    finally:
        await context.close()


@contextmanager
def _natives(server: RunningServer, directory: Path) -> Iterator[None]:
    """`comp-pool work` a few times, each a host of its own."""
    with ExitStack() as stack:
        for number in range(NATIVES):
            home = environment(directory / f"native-{number}")
            stack.enter_context(started("work", server.url, "--concurrency", "1", env=home))
        yield


async def _ask(server: RunningServer, query: str, **variables: Any) -> dict[str, Any]:
    return await asyncio.to_thread(server.ask, query, **variables)


async def _completed(dashboard: Dashboard) -> int:
    """How many completed jobs the page shows."""
    shown: str = await dashboard.page.evaluate(COMPLETED)
    return int(shown.partition(" ")[0].replace(",", "")) if shown else 0


async def _is_idle(server: RunningServer) -> bool:
    tasks = await asyncio.to_thread(server.tasks)
    return tasks["ready"] == tasks["leased"] == 0


async def _nodes(server: RunningServer, key: str) -> list[dict[str, Any]]:
    """All jobs of a flow with the votes of each run."""
    nodes: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        found = (await _ask(server, NODES, key=key, after=page["endCursor"]))["flow"]["nodes"]
        page = found["pageInfo"]
        nodes += found["nodes"]
    return nodes


async def _errors(server: RunningServer, key: str) -> Counter[tuple[str, str]]:
    """What volunteers said was wrong, by the name of the volunteer."""
    runs = [run for each in await _nodes(server, key) for run in each["runs"]["nodes"]]
    return Counter((each["host"]["name"], each["error"]) for run in runs for each in run["results"] if each["error"])


def _memory() -> str:
    """What all processes of Chromium take: pages that they share are counted once (`Pss` of proc(5))."""
    sizes = []
    for process in descendants(os.getpid()):
        if "chromium" in command_line(process):
            with suppress(psutil.NoSuchProcess):
                sizes.append(process.memory_full_info().pss)
    return f"Chromium: {len(sizes)} processes with {sum(sizes) / (1 << 20):,.0f} MiB"
