"""The pictures of the README, taken anew by `make pictures`."""

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.pages.dashboard import Dashboard
from tests.pages.hand import Hand, submit_flow
from tests.pages.jobs import SLOW, SQUARE, add_job
from tests.pages.volunteer import Volunteer
from tests.processes import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_picture_shows_a_flow_at_work(server: RunningServer, context: BrowserContext, pictures: Path) -> None:
    add_job(server, "square", SQUARE)
    add_job(server, "sum", "(variable, context) => ({ result: { total: 1 } })")
    few = [{"job": "square", "as": name} for name in ("first", "second")]
    key = submit_flow(
        server,
        name="squares and more",
        owner="ada",
        dependent=[{"jobs": [{"job": "square"}] * 60}, {"jobs": few}],
        jobs=[{"job": "sum"}],
    )
    hand = Hand(server, "hand")
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    await dashboard.counts("62 queued")
    hand.report(hand.claim(40), value=49)
    hand.claim(10)
    for words in ("40 completed", "10 running", "12 queued", "1 waiting"):
        await dashboard.counts(words)
    await dashboard.sees("10 tasks being computed")
    await dashboard.picture.press("ArrowDown")
    await dashboard.picture.press("ArrowDown")
    await expect(dashboard.active_item).to_contain_text("Level 1: square \N{MULTIPLICATION SIGN} 60, running")
    await dashboard.page.set_viewport_size({"width": 1280, "height": 760})
    await dashboard.page.screenshot(path=pictures / "dashboard.png")
    assert dashboard.complaints == []


async def test_a_picture_shows_a_volunteer_at_work(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    ada = {"owner": "Ada", "description": {"en": "Squares of numbers."}}
    add_job(server, "Squares", SQUARE, range(12), metadata=ada)
    volunteer = await Volunteer.visit(context, server, workers=1, share=80)
    page = volunteer.page
    await volunteer.start()
    await expect(page.locator("#verdicts").get_by_text("accepted as the result")).to_have_count(8)
    add_job(server, "Long sums", SLOW, [60_000], metadata={"owner": "Grace"})
    await page.locator("#tasks li", has_text="Long sums").wait_for()
    await expect(page.locator("#figures")).to_contain_text("none turned down")
    await page.set_viewport_size({"width": 1280, "height": 810})
    await page.screenshot(path=pictures / "volunteer.png")
    assert volunteer.complaints == []
