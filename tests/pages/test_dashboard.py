"""The dashboard's pool, jobs and editor against a real pool, in a real browser; and what holds for all of its pages."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.pages.accessibility import violations
from tests.pages.dashboard import Dashboard
from tests.pages.hand import Hand, submit_flow
from tests.pages.jobs import SQUARE, add_job
from tests.processes import PATIENCE_S, RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_BYTES = 64_000
"""Over the wire, for all of the pages together."""
SOURCE = """function (variable, context) {
  // Squares of numbers.
  context.result = "a" + variable * 2;
  return context;
}"""
ATTACK = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
PAGES = {
    "flows": "flows",
    "flow": "flows/{flow}",
    "timeline": "flows/{flow}?view=timeline&job=1",
    "pool": "pool",
    "jobs": "jobs",
    "job": "jobs/square",
    "submit-flow": "submit",
    "submit-job": "submit?kind=job",
}


def busy_pool(server: RunningServer) -> str:
    """A pool with something on each page; the key of a flow that is at work."""
    add_job(server, "square", SOURCE, range(30), metadata={"owner": "ada", "description": {"en": "Squares."}})
    add_job(server, "fragile", SQUARE, [1, 2], policy={"maxErrors": 1})
    submit_flow(server, name="breaks", owner="bob", jobs=[{"job": "fragile"}])
    flow = submit_flow(
        server,
        name="squares and more",
        owner="ada",
        dependent=[{"jobs": [{"job": "square"}] * 60}, {"jobs": [{"job": "square", "as": "first"}, {"job": "square"}]}],
        jobs=[{"job": "square", "as": "sum"}],
    )
    hand = Hand(server, "worker")
    hand.report(hand.claim(jobs=["fragile"]), error="Error: no squares today")
    hand.report(hand.claim(40, jobs=["square"]), value=4)
    hand.claim(10, jobs=["square"])
    return flow


async def test_the_pool_is_shown_as_it_changes(server: RunningServer, context: BrowserContext, pictures: Path) -> None:
    add_job(server, "square", SQUARE, range(20))
    hand = Hand(server, "the first one")
    dashboard = await Dashboard.visit(context, server, "pool")
    page = dashboard.page
    await dashboard.sees("live")
    await dashboard.sees("20 tasks in the queue, 0 being computed")
    await dashboard.sees("No volunteer has come yet.")
    await page.screenshot(path=pictures / "dashboard-pool-idle.png", full_page=True)
    tasks = hand.claim(12, scheduler="shortest")
    await dashboard.sees("8 tasks in the queue, 12 being computed")
    await expect(page.get_by_role("img", name="Tasks in the queue: now 8, 8 to 20")).to_be_visible()
    await expect(page.get_by_role("img", name="shortest: now 12")).to_be_visible()
    await page.screenshot(path=pictures / "dashboard-pool-busy.png", full_page=True)
    hand.report(tasks[:9], value=1)
    hand.report(tasks[9:], error="Error: broken")
    await expect(page.get_by_role("img", name="Verdicts of the last hour: 9 canonical, 3 invalid")).to_be_visible()
    await expect(page.get_by_role("img", name="Active hosts: now 1")).to_be_visible()
    await expect(page.get_by_role("img", name="Results in the last minute: now 12")).to_be_visible()
    await expect(page.locator("tbody tr")).to_contain_text("the first one")
    await page.screenshot(path=pictures / "dashboard-pool-judged.png", full_page=True)
    assert dashboard.complaints == []


async def test_a_job_shows_its_source_and_its_failures_first(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    add_job(server, "square", SOURCE, range(30), policy={"maxErrors": 1}, metadata={"owner": "ada"})
    dashboard = await Dashboard.visit(context, server, "jobs")
    page = dashboard.page
    await page.get_by_role("link", name="square").click()
    await expect(page.locator("h1")).to_have_text("square")
    await dashboard.sees("Nothing was measured yet.")
    await expect(page.locator(".source .js-keyword").first).to_have_text("function")
    await expect(page.locator(".source .js-comment")).to_have_text("// Squares of numbers.")
    await expect(page.locator(".source .js-string")).to_have_text('"a"')
    assert await page.locator(".source code").inner_text() == SOURCE
    await expect(page.locator("dl")).to_contain_text("failures until given up")
    rows = page.get_by_role("region", name="Variables").locator("tbody tr")
    await expect(rows).to_have_count(25)
    await page.get_by_role("button", name="More").click()
    await expect(rows).to_have_count(5)
    await page.get_by_role("button", name="Back").click()
    hand = Hand(server, "hand")
    tasks = hand.claim(30)
    hand.report(tasks[20:21], error="Error: not this one")
    hand.report(tasks[:20], value={"square": 1}, elapsedMilliseconds=250)
    await expect(rows.first).to_contain_text("failed")
    await expect(
        page.get_by_role("img", name="Time of one run: 20 results, half of them within 250 ms")
    ).to_be_visible()
    await rows.first.get_by_role("button").click()
    await dashboard.sees("Error: not this one")
    await page.screenshot(path=pictures / "dashboard-job.png", full_page=True)
    await page.get_by_label("show").select_option("DONE")
    await expect(rows.filter(has_text="done")).to_have_count(20)
    await expect(rows.first).to_contain_text('{"square":1}')
    assert dashboard.complaints == []


async def test_what_is_wrong_with_a_flow_is_shown_at_its_place(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    add_job(server, "square", SQUARE, [1])
    dashboard = await Dashboard.visit(context, server, "submit")
    page = dashboard.page
    editor = page.get_by_label("The flow, as JSON")
    button = page.get_by_role("button", name="Submit the flow")
    errors = page.get_by_role("alert")
    await page.screenshot(path=pictures / "dashboard-submit.png", full_page=True)
    await editor.fill('{\n  "jobs": [\n    {"job": "square"},\n    {"job": "circle"}\n  ]\n}')
    await button.click()
    await expect(errors).to_contain_text("line 4: jobs[1].job:")
    await expect(errors).to_contain_text("circle")
    await expect(page.locator(".numbers .wrong")).to_have_text("4")
    await page.screenshot(path=pictures / "dashboard-submit-wrong.png", full_page=True)
    await editor.fill('{"jobs": [\n  {"job": "square",}\n]}')
    await button.click()
    await expect(errors).to_contain_text('line 2: This is not JSON: expected a name in quotes, and there is "}".')
    await editor.fill('{"jobs": [\n  {"job": "square", "policy": {\n    "quorum": "two"}}\n]}')
    await button.click()
    await expect(errors).to_contain_text("line 3: jobs[0].policy.quorum:")
    await editor.fill('{"name": "right", "jobs": [{"job": "square", "if": "() => false"}]}')
    await button.click()
    await expect(page.locator("h1")).to_have_text("right")
    assert await page.get_by_role("link", name="GraphQL").first.get_attribute("href") == "graphql"
    assert dashboard.complaints == []


async def test_a_job_is_submitted_with_its_variables_once_it_is_right(
    server: RunningServer, context: BrowserContext
) -> None:
    dashboard = await Dashboard.visit(context, server, "submit?kind=job")
    page = dashboard.page
    button = page.get_by_role("button", name="Submit the job")
    await page.get_by_label("name").fill("cube")
    await page.get_by_label("owner").fill("ada")
    await page.get_by_label("executeFunction").fill("function (variable, context) {\n  return context;\n  }}")
    await button.click()
    await expect(page.get_by_role("alert").filter(has_text="line 3")).to_be_visible()
    await page.get_by_label("executeFunction").fill("(variable, context) => ({...context, result: variable ** 3})")
    await page.get_by_label("Variables, as JSON").fill('[\n  {"value": 1},\n  {"id": "no spaces!", "value": 2}\n]')
    await button.click()
    await expect(page.get_by_role("alert").filter(has_text="line 3")).to_be_visible()
    await page.get_by_label("name").fill("cube again")
    await page.get_by_label("Variables, as JSON").fill('[{"value": 1}, {"value": 2}]')
    await button.click()
    await expect(page.locator("h1")).to_have_text("cube again")
    assert server.counts("cube-again")["open"] == 2
    assert dashboard.complaints == []


async def test_what_a_pool_holds_is_text_on_every_page(server: RunningServer, context: BrowserContext) -> None:
    key = add_job(
        server, f"{ATTACK} job", SQUARE, [ATTACK, 2], metadata={"owner": ATTACK, "description": {"en": ATTACK}}
    )
    flow = submit_flow(server, name=ATTACK, owner=ATTACK, jobs=[{"job": key, "as": ATTACK}])
    hand = Hand(server, ATTACK)
    tasks = hand.claim()
    hand.report(tasks[:1], value=ATTACK, context={ATTACK: ATTACK})
    hand.report(tasks[1:2], error=ATTACK)
    dashboard = await Dashboard.visit(context, server, "flows")
    page = dashboard.page
    for where in (
        "flows",
        f"flows/{flow}?job=0",
        f"flows/{flow}?view=jobs",
        "pool",
        "jobs",
        f"jobs/{key}",
        f"jobs/{ATTACK}",
    ):
        await dashboard.go(where)
        await expect(page.locator("main")).to_contain_text("<img src=x")
    await dashboard.go(f"jobs/{key}")
    await page.locator("tbody button").nth(1).wait_for()
    for button in await page.locator("tbody button").all():
        await button.click()
    await expect(page.locator(".result").first).to_be_visible()
    assert await page.locator("main img, main script").count() == 0
    assert await page.title() != "1"
    assert [said for said in dashboard.complaints if "Content Security Policy" in said] == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_it_is_for_everybody_on_any_screen(
    width: int, server: RunningServer, chromium: Browser, axe: str, pictures: Path
) -> None:
    flow = busy_pool(server)
    context = await chromium.new_context(viewport={"width": width, "height": 900})
    try:
        dashboard = await Dashboard.visit(context, server, "flows")
        page = dashboard.page
        found = {}
        for name, where in PAGES.items():
            await dashboard.go(where.format(flow=flow))
            await page.locator("main .card, main table").first.wait_for()
            if where.startswith("flows/"):
                await dashboard.picture.wait_for()
            found[name] = await violations(page, axe, pictures / f"dashboard-{width}-{name}")
        assert found == {name: [] for name in PAGES}
        assert dashboard.complaints == []
    finally:
        await context.close()


async def test_it_is_light_and_asks_nobody_else(server: RunningServer, context: BrowserContext) -> None:
    flow = busy_pool(server)
    dashboard = await Dashboard.visit(context, server, "flows")
    sizes: dict[str, int] = {}
    for where in PAGES.values():
        await dashboard.go(where.format(flow=flow))
        await dashboard.page.locator("main .card, main table").first.wait_for()
    assert {url for url in dashboard.requests if not url.startswith(f"{server.url}/")} == set()
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        for url in {url.partition("#")[0] for url in dashboard.requests if not url.endswith("/graphql")}:
            answer = await client.get(url)
            assert answer.headers["content-encoding"] == "gzip"
            sizes[url] = answer.num_bytes_downloaded
            if url.endswith("/dashboard"):
                policy = answer.headers["content-security-policy"]
    assert sum(sizes.values()) < MOST_BYTES, sizes
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
