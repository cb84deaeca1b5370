"""The page that a browser gets at `/graphql`, and the headers of all pages."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import BrowserContext, Page

from server.pages import Page as FilePage
from server.pages import page_routes
from tests.pages.accessibility import violations
from tests.pages.jobs import SQUARE, add_job
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ROUTED = [each.path for each in page_routes(None) if isinstance(each.app, FilePage) and "html" in each.app.media_type]
PAGES = ["/", "/graphql", "/rels/cp/jobs", *ROUTED]
OWN_FRAMES = ("/assets/volunteer/sandbox.html",)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_comes_with_a_policy_that_names_no_other_host(path: str, shared_server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=shared_server.url, headers={"accept": BROWSER}) as client:
        page = await client.get(path)
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    policy = dict(each.strip().partition(" ")[::2] for each in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == ("'self'" if path in OWN_FRAMES else "'none'")
    own = re.escape(httpx.URL(shared_server.url).netloc.decode())
    for source in " ".join(policy.values()).split():
        assert re.fullmatch(rf"'[^']*'|blob:|comp-pool|allow-scripts|{own}/assets/", source), source
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", page.text)


async def opened(context: BrowserContext, server: RunningServer) -> tuple[Page, list[str]]:
    """The page, and what goes wrong in it or is asked of others."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(server.url) else complaints.append(asked.url))
    await page.goto(f"{server.url}/graphql")
    return page, complaints


async def test_it_asks_watches_and_shows_the_schema(
    server: RunningServer, context: BrowserContext, axe: str, pictures: Path
) -> None:
    add_job(server, "Square", SQUARE, [3])
    page, complaints = await opened(context, server)
    answer, status = page.locator("#answer"), page.locator("#status")
    await page.get_by_role("button", name="Ask").click()
    await answer.get_by_text('"key": "square"').wait_for()
    await page.get_by_label("Query").fill("query($key: String!) { job(key: $key) { name } }")
    await page.get_by_label("Variables, as JSON").fill('{"key": "square"}')
    await page.get_by_label("Variables, as JSON").press("Control+Enter")
    await answer.get_by_text('"name": "Square"').wait_for()
    await page.get_by_label("Query").fill("{ nothing }")
    await page.get_by_label("Query").press("Control+Enter")
    await answer.get_by_text("Cannot query field").wait_for()
    await page.get_by_label("Query").fill("subscription { poolActivity { __typename } }")
    await page.get_by_label("Query").press("Control+Enter")
    await status.get_by_text("events so far").wait_for()
    await page.get_by_label("Only what mentions").fill("type FlowJob ")
    await page.locator("#schema").get_by_text("type FlowJob ").wait_for()
    assert "type Pool " not in await page.locator("#schema").inner_text()
    assert await violations(page, axe, pictures / "graphql") == []
    assert complaints == []
    await asyncio.gather(*(each.close() for each in context.pages))
