"""Who can use the volunteer page, and what it asks for."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Route

from tests.pages.accessibility import violations
from tests.pages.jobs import SLOW, SQUARE, add_job
from tests.pages.volunteer import LIGHTEST, Volunteer, says, until
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = {"owner": "Ada", "description": {"en": "Squares of numbers.", "es": "Cuadrados de números."}}
MOST_BYTES = 210_000
"""Before compression. A third of it is the functions of Math, of which 22,000 bytes are sent."""


async def test_the_keyboard_is_enough(context: BrowserContext, server: RunningServer) -> None:
    add_job(server, "Slow", SLOW, [60_000])
    volunteer = await Volunteer.visit(context, server, **LIGHTEST)
    page = volunteer.page
    focused = "document.activeElement.id"
    for _ in range(5):
        await page.keyboard.press("Tab")
        if await page.evaluate(focused) == "start":
            break
    await page.keyboard.press("Enter")
    await until(lambda: says(volunteer, "Computing 1 task."), "a task")
    assert await page.evaluate(focused) == "stop"
    await page.keyboard.press("Space")
    await page.locator("#start:visible").wait_for()
    assert await page.evaluate(focused) == "start"


@pytest.mark.parametrize("width", [360, 1280])
async def test_it_is_for_everybody_on_any_screen(
    width: int, chromium: Browser, server: RunningServer, axe: str, pictures: Path
) -> None:
    add_job(server, "Square", SQUARE, range(5), metadata=ADA)
    context = await chromium.new_context(viewport={"width": width, "height": 800})
    try:
        volunteer = await Volunteer.visit(context, server, **LIGHTEST)
        page = volunteer.page
        await page.get_by_text("View source").first.click()
        assert await violations(page, axe) == []
        await volunteer.start()
        await page.locator("#verdicts").get_by_text("accepted as the result").first.wait_for()
        add_job(server, "Averylongnamewithoutanyspacewhatsoever" * 3, SLOW, [60_000], metadata={"owner": "Grace"})
        await until(lambda: says(volunteer, "Computing 1 task."), "a task")
        assert await violations(page, axe, pictures / f"volunteer-{width}") == []
    finally:
        await context.close()


async def test_it_is_light_and_asks_nobody_else(context: BrowserContext, server: RunningServer) -> None:
    job = add_job(server, "Square", SQUARE, range(3))
    page = await context.new_page()
    sizes: dict[str, int] = {}
    elsewhere: list[str] = []
    policies: list[str] = []

    async def note(route: Route) -> None:
        if not route.request.url.startswith(server.url):
            elsewhere.append(route.request.url)
        response = await route.fetch()
        sizes[route.request.url] = len(await response.body())
        policies.append(response.headers.get("content-security-policy", ""))
        await route.fulfill(response=response)

    await page.route(lambda url: "/graphql" not in url and not url.startswith("blob:"), note)
    volunteer = Volunteer(page, server.url)
    await volunteer.open()
    await volunteer.start()
    await until(lambda: server.counts(job)["done"] == 3, "results")
    assert any(url.endswith("/sandbox.html") for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES
    assert elsewhere == []
    assert all("default-src 'none'" in policy and "unsafe-inline" not in policy for policy in policies)
    assert "unsafe-eval" not in policies[0]
    assert volunteer.complaints == []
