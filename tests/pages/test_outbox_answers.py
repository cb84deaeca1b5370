"""The page's outbox on the table of a pool's answers, in a real browser, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.answering_pool import NAMES, ROWS, TASKS, AnsweringPool, answering_pool, value_of
from tests.pages.volunteer import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMPATIENT = """const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => timeout(location.hash === "#impatient" ? ms / 20 : ms);"""
# All are put before the first is posted: another tab could hold the outbox as well.
START = """async (reports) => {
  const { Outbox } = await import("/assets/volunteer/outbox.js");
  const { Backoff } = await import("/assets/volunteer/backoff.js");
  const told = (window.told = { settled: [], waits: [] });
  const outbox = (window.outbox = await Outbox.open(
    ({ task }) => told.settled.push(task),
    (why) => told.waits.push(why),
    new Backoff({ firstMs: 100, longestMs: 100 }),
  ));
  await navigator.locks.request("comp-pool.outbox", async () => {
    for (const report of reports) await outbox.put(report);
  });
}"""


def report(task: str) -> dict[str, Any]:
    computed = {"elapsedMilliseconds": 1, "value": value_of(task), "context": {}}
    return {"task": task, "lease": "lease", "job": "job", "host": "host.signature", **computed}


async def told(page: Page) -> dict[str, Any]:
    heard: dict[str, Any] = await page.evaluate("told")
    return heard


async def outcomes(page: Page, pool: AnsweringPool, row: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What became of the report of each task, and what was told while posts were put off."""
    silent = row["answer"].get("connection") == "silent"
    await page.goto(f"{pool.url}/#impatient" if silent else pool.url)
    # Modules load before a row may stop the pool from listening.
    await page.evaluate("import('/assets/volunteer/outbox.js')")
    await pool.play(row)
    await page.evaluate(START, [report(task) for task in TASKS])
    if row["answer"].get("connection") == "refused":
        await until(lambda: page.evaluate("told.waits.length"), "a post that failed")
        await pool.listen()

    async def is_over() -> bool:
        return pool.is_over(len((await told(page))["settled"]))

    await until(is_over, f"the end of {row['name']}")
    heard = await told(page)
    kept = [task for task in TASKS if task not in heard["settled"]]
    assert await page.evaluate("outbox.count()") == len(kept)
    return {task: "kept" if task in kept else pool.taken.get(task, "lost") for task in TASKS}, heard["waits"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """One tab: each pool has an origin of its own, and so an outbox of its own."""
    page = await chromium.new_page()
    await page.add_init_script(IMPATIENT)
    yield page
    await page.close()


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_what_becomes_of_reports(row: dict[str, Any], page: Page) -> None:
    async with answering_pool() as pool:
        assert pool.problem(*await outcomes(page, pool, row)) == ""
