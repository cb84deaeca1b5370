"""How the dashboard's page of one large flow feels: a real Chromium shows it while volunteers answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import httpx
from playwright.async_api import Page, async_playwright

from bench import pools
from bench.figures import Figure
from bench.processes import Server, serving
from resolvers.flows import submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.owners import jobs
from resolvers.owners.jobs import NewJob

CHROMIUM = Path("/usr/bin/chromium")
JOBS = 10_000
WATCHED_S = 20.0
PATIENCE_S = 120.0
LOOK_S = 0.1
AT_ONCE = 50
MS = "ms"
FIRST_PICTURE_MS = 1_000
LONGEST_TASK_MS = 200

CLAIM = """mutation($input: ClaimTasksInput!) { claimTasks(input: $input) { host tasks { id lease { token } } } }"""
SUBMIT = """mutation($input: SubmitResultsInput!) { submitResults(input: $input) { userErrors { message } } }"""

# Long tasks: https://w3c.github.io/longtasks/. The flow's tree is the largest answer of the pool.
OBSERVE = """window.longest = 0;
new PerformanceObserver((seen) => {
  for (const { duration } of seen.getEntries()) window.longest = Math.max(window.longest, duration);
}).observe({ type: "longtask", buffered: true });"""
FIRST_PICTURE = """new Promise((resolve) => new PerformanceObserver((seen) => {
  const [picture] = seen.getEntriesByName("first-picture");
  const answers = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/graphql"));
  const tree = answers.sort((a, b) => b.decodedBodySize - a.decodedBodySize)[0];
  if (picture) resolve(picture.startTime - tree.responseEnd);
}).observe({ type: "mark", buffered: true }))"""
COUNTED = """document.querySelector(".counts .is-COMPLETED")?.textContent ?? "" """


def dashboard(scale: float) -> Iterator[Figure]:
    """Figures of the page of a flow of 10,000 jobs, watched for 20 seconds. Without Chromium there are none."""
    if not CHROMIUM.exists():
        click.echo(f"the dashboard is not measured: there is no {CHROMIUM}", err=True)
        return
    size = max(100, int(JOBS * min(scale, 1.0)))
    with tempfile.TemporaryDirectory(prefix="comp-pool-bench-") as directory:
        database = str(Path(directory) / "pool")
        key = asyncio.run(_fill(database, size))
        with serving(pools.pool, database) as server:
            first, longest, updates = asyncio.run(_watched(server, key, WATCHED_S * min(scale, 1.0)))
    name = f"page of a flow of {size:,} jobs"
    yield Figure(f"{name}: first picture after its data", first, MS, first / FIRST_PICTURE_MS, 1)
    yield Figure(f"{name}: longest task while it changes", longest, MS, longest / LONGEST_TASK_MS, 1)
    yield Figure(f"{name}: updates shown meanwhile", updates, "updates")


async def _fill(database: str, size: int) -> str:
    async with pools.open_runtime(database) as runtime:
        await jobs.create(runtime, NewJob(name="double", execute_function=pools.EXECUTE))
        halves = [NewLevel([NewFlowJob("double")] * (size // 2)) for _ in range(2)]
        flow = await submission.submit(runtime, submission.NewFlow(NewLevel([NewFlowJob("double")], halves)))
        await runtime.settled()
        return flow.key


async def _watched(server: Server, key: str, seconds: float) -> tuple[float, float, int]:
    """Time to the first picture and longest task, both in ms, and how often the page showed other counts."""
    url = f"http://127.0.0.1:{server.port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.add_init_script(OBSERVE)
        await page.goto(f"{url}/dashboard#/flows/{key}")
        await page.get_by_role("tree").wait_for(timeout=PATIENCE_S * 1000)
        first: float = await page.evaluate(FIRST_PICTURE)
        await page.get_by_role("button", name="Open all").click()
        volunteer = asyncio.create_task(_volunteer(url))
        updates = await _changes(page, seconds)
        longest: float = await page.evaluate("longest")
        volunteer.cancel()
        with suppress(asyncio.CancelledError):
            await volunteer
        await browser.close()
    return first, longest, updates


async def _changes(page: Page, seconds: float) -> int:
    """How often the page shows another count of completed jobs within some seconds; a busy machine may take longer
    to show the first."""
    clock = asyncio.get_running_loop()
    end = clock.time() + seconds
    seen: set[str] = set()
    while clock.time() < end or (len(seen) < 2 and clock.time() < end + PATIENCE_S):
        seen.add(await page.evaluate(COUNTED))
        await asyncio.sleep(LOOK_S)
    return len(seen) - 1


async def _volunteer(url: str) -> None:
    """Answer all tasks at once, until it is cancelled."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def ask(query: str, **given: Any) -> dict[str, Any]:
            answer = await client.post("/graphql", json={"query": query, "variables": {"input": given}})
            [told] = answer.json()["data"].values()
            return dict(told)

        host: str | None = None
        while True:
            claimed = await ask(CLAIM, first=AT_ONCE, host=host)
            host = claimed["host"]
            results = [
                {"task": task["id"], "lease": task["lease"]["token"], "value": 2, "elapsedMilliseconds": 1}
                for task in claimed["tasks"]
            ]
            if results:
                await ask(SUBMIT, host=host, results=results)
            else:
                await asyncio.sleep(0.2)


if __name__ == "__main__":
    for figure in dashboard(1.0):
        click.echo(f"{figure.name}: {figure.value:,.0f} {figure.unit}")
