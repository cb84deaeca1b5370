"""What `GET /` answers to browsers and to everybody else."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext

from tests.pages.accessibility import violations
from tests.pages.jobs import SQUARE, add_job
from tests.processes import PATIENCE_S, RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", [None, "*/*", "application/json, text/plain, */*", "application/hal+json"])
async def test_clients_get_the_hal_root(accept: str | None, server: RunningServer) -> None:
    headers = {} if accept is None else {"accept": accept}
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/", headers=headers)
        assert answer.headers["content-type"].endswith("json")
        assert "_links" in answer.json()


async def test_a_browser_gets_a_page_that_is_not_sent_twice(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers={"accept": BROWSER}) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "unsafe" not in page.headers["content-security-policy"]
        again = await client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.head("/")).headers["etag"] == page.headers["etag"]
        assert (await client.post("/volunteer")).status_code == 405


async def test_it_says_what_is_computed_and_leads_to_the_pages(
    chromium: Browser, server: RunningServer, axe: str, pictures: Path
) -> None:
    metadata = {"owner": "Ada", "description": {"en": "Squares of numbers.", "de": "Quadrate von Zahlen."}}
    add_job(server, "Square", SQUARE, range(3), metadata=metadata)
    context = await chromium.new_context(locale="de-AT")
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        await page.goto(server.url)
        await page.get_by_text("Quadrate von Zahlen.").wait_for()
        await page.get_by_text("3 tasks to do").wait_for()
        assert await violations(page, axe, pictures / "front") == []
        await page.get_by_role("link", name="Volunteer").click()
        assert page.url == f"{server.url}/volunteer"
    finally:
        await context.close()


async def test_the_policy_of_a_strange_host_names_none(server: RunningServer, context: BrowserContext) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/volunteer", headers={"host": "evil;script-src *"})
        assert "evil" not in answer.headers.get("content-security-policy", "")
