"""The dashboard's flows against a real pool, in a real browser."""

import json
import socket
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Request, Route, expect

from tests.pages.dashboard import Dashboard
from tests.pages.hand import Hand, submit_flow
from tests.pages.jobs import SQUARE, add_job
from tests.pages.volunteer import until
from tests.processes import RunningServer
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAP_REDUCE = {
    "dependent": [{"jobs": [{"job": "square", "as": f"n{at}"} for at in range(4)]}, {"jobs": [{"job": "square"}]}],
    "jobs": [{"job": "sum"}],
}


def add_jobs(server: RunningServer, **job: object) -> None:
    add_job(server, "square", SQUARE, [7], **job)
    add_job(server, "sum", "(variable, context) => ({result: {total: 1}})")


def only(job: str, server: RunningServer, name: str = "hand") -> tuple[Hand, list[dict[str, object]]]:
    """A new host with all tasks of a job that it may have."""
    hand = Hand(server, name)
    return hand, hand.claim(jobs=[job])


def queued(server: RunningServer, key: str) -> int:
    """How many jobs of a flow wait for a host."""
    asked = "query($key: String!) { flow(key: $key) { progress { byState { queued } } } }"
    count: int = server.ask(asked, key=key)["flow"]["progress"]["byState"]["queued"]
    return count


async def test_the_list_says_how_far_each_flow_is_and_keeps_its_filters_in_its_address(
    server: RunningServer, context: BrowserContext
) -> None:
    add_jobs(server)
    submit_flow(server, name="mine", owner="ada", jobs=[{"job": "square"}])
    submit_flow(server, name="other", owner="bob", jobs=[{"job": "sum"}])
    hand, tasks = only("sum", server)
    hand.report(tasks, value={"total": 1})
    dashboard = await Dashboard.visit(context, server, "flows")
    rows = dashboard.page.locator("tbody tr")
    await expect(rows.filter(has_text="other")).to_contain_text("completed")
    await expect(rows.filter(has_text="other").get_by_role("img")).to_have_attribute("aria-label", "1 completed")
    await expect(rows.filter(has_text="mine")).to_contain_text("ada")
    await dashboard.page.get_by_label("state").select_option("COMPLETED")
    await expect(rows).to_have_count(1)
    await dashboard.page.reload()
    await expect(rows).to_have_count(1)
    await dashboard.page.get_by_label("owner").fill("ada")
    await dashboard.page.get_by_label("owner").press("Enter")
    await dashboard.sees("No flow is like that.")
    assert dashboard.page.url.endswith("#/flows?state=COMPLETED&owner=ada")
    await dashboard.page.get_by_label("state").select_option("")
    await expect(rows).to_contain_text("mine")
    assert dashboard.complaints == []


async def test_many_flows_are_cancelled_and_retried_at_once(server: RunningServer, context: BrowserContext) -> None:
    add_jobs(server)
    for at in range(3):
        submit_flow(server, name=f"flow {at}", jobs=[{"job": "square"}])
    dashboard = await Dashboard.visit(context, server, "flows")
    page = dashboard.page
    await page.get_by_label("Choose flow 0").check()
    await page.get_by_label("Choose flow 2").check()
    await page.get_by_role("button", name="Cancel 2 flows").click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    await expect(page.locator("tbody").get_by_text("running")).to_have_count(3)
    await page.get_by_role("button", name="Cancel 2 flows").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await dashboard.sees("Cancelled 2 flows.")
    await expect(page.locator("tbody").get_by_text("cancelled", exact=True)).to_have_count(2)
    await page.get_by_label("Choose all").check()
    await page.get_by_role("button", name="Retry 2 flows").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator("tbody").get_by_text("running")).to_have_count(3)
    assert dashboard.complaints == []


async def test_a_flow_is_watched_live_to_its_result(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    add_jobs(server, policy={"quorum": 2})
    key = submit_flow(server, name="sum of squares", owner="ada", **MAP_REDUCE)
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    page = dashboard.page
    await dashboard.sees("live")
    await dashboard.sees("no volunteer has asked for work in the last two minutes")
    await dashboard.sees("Critical path")
    await expect(dashboard.active_item).to_contain_text("Root level: sum, waiting, 0 of 1 job ended, after 2 levels")
    first, tasks = only("square", server, "first")
    await dashboard.counts("5 running")
    first.report(tasks[:2], value=49)
    second, others = only("square", server, "second")
    second.report(others, value=49)
    await dashboard.counts("2 completed")
    await page.screenshot(path=pictures / "dashboard-flow-running.png", full_page=True)
    first.report(tasks[2:], value=49)
    await dashboard.counts("5 completed")
    hand, last = only("sum", server)
    hand.report(last, value={"total": 5})
    await expect(page.locator(".head .badge")).to_have_text("completed")
    await expect(page.locator("details", has_text="Result").locator("pre")).to_contain_text('"total": 5')
    await expect(dashboard.active_item).to_contain_text("completed, 1 of 1 job ended")
    await page.screenshot(path=pictures / "dashboard-flow-completed.png", full_page=True)
    assert dashboard.complaints == []


async def test_a_failed_flow_says_why_and_goes_on_when_it_is_retried(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    add_jobs(server, policy={"maxErrors": 1})
    key = submit_flow(server, name="breaks", **MAP_REDUCE)
    hand, tasks = only("square", server, "breaker")
    hand.report(tasks[:1], error="Error: no squares today\n    at line 1")
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    page = dashboard.page
    await expect(page.locator(".head .badge")).to_have_text("failed")
    await page.get_by_role("tab", name="Jobs").click()
    await expect(page.locator("tbody tr").first).to_contain_text("failed")
    await page.locator("tbody button").first.click()
    await expect(dashboard.panel).to_contain_text("Run 1: 1 invalid")
    await expect(dashboard.panel).to_contain_text("Error: no squares today")
    await expect(dashboard.panel).to_contain_text("breaker (")
    await page.screenshot(path=pictures / "dashboard-flow-failed.png", full_page=True)
    await page.get_by_role("button", name="Retry").click()
    await expect(page.locator(".head .badge")).to_have_text("running")
    await dashboard.sees("live")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".head .badge")).to_have_text("paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator(".head .badge")).to_have_text("running")
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator(".head .badge")).to_have_text("cancelled")
    assert dashboard.complaints == []


async def test_it_polls_where_streams_do_not_come_through(server: RunningServer, context: BrowserContext) -> None:
    async def hold_back(route: Route) -> None:
        if route.request.headers["accept"] == "text/event-stream":
            await route.fulfill(status=502, body="no streams here")
        else:
            await route.continue_()

    add_jobs(server)
    await context.route("**/graphql", hold_back)
    key = submit_flow(server, jobs=[{"job": "sum"}])
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    await dashboard.sees("polling")
    await expect(dashboard.active_item).to_contain_text("queued")
    hand, tasks = only("sum", server)
    await dashboard.counts("1 running")
    hand.report(tasks, value={"total": 1})
    await expect(dashboard.active_item).to_contain_text("completed, 1 of 1 job ended")


async def test_it_goes_on_at_its_cursor_after_the_server_was_away(context: BrowserContext, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cursors: list[str | None] = []

    def note(request: Request) -> None:
        if request.headers.get("accept") == "text/event-stream":
            cursors.append(json.loads(request.post_data or "{}")["variables"]["after"])

    with warm_server(tmp_path / "pool", port=port) as server:
        add_jobs(server)
        key = submit_flow(server, jobs=[{"job": "sum"}])
        dashboard = await Dashboard.visit(context, server, f"flows/{key}")
        dashboard.page.on("request", note)
        await dashboard.sees("live")
        await dashboard.counts("1 queued")
    await dashboard.sees("the pool is away, trying again")
    with warm_server(tmp_path / "pool", port=port) as server:
        hand, tasks = only("sum", server)
        hand.report(tasks, value={"total": 1})
        await expect(dashboard.active_item).to_contain_text("completed")
        await until(lambda: bool(cursors and cursors[-1]), "a subscription at a cursor")


async def test_a_link_leads_to_one_job_in_one_view(server: RunningServer, context: BrowserContext) -> None:
    add_jobs(server)
    key = submit_flow(server, **MAP_REDUCE)
    dashboard = await Dashboard.visit(context, server, f"flows/{key}?view=timeline&job=2")
    await expect(dashboard.page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    await expect(dashboard.panel).to_contain_text("Job 2")
    await dashboard.panel.get_by_role("button", name="Close the details").click()
    await dashboard.page.get_by_role("tab", name="Tree").click()
    assert dashboard.page.url.endswith(f"#/flows/{key}")


async def test_the_tree_is_walked_with_the_keyboard(server: RunningServer, context: BrowserContext) -> None:
    add_jobs(server)
    key = submit_flow(server, **MAP_REDUCE)
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    page = dashboard.page
    await dashboard.picture.focus()
    item = dashboard.active_item
    await expect(item).to_contain_text("Root level")
    await page.keyboard.press("ArrowRight")
    await expect(item).to_contain_text("Job 0: sum as sum")
    await page.keyboard.press("ArrowDown")
    await expect(item).to_contain_text("Level 1: square \N{MULTIPLICATION SIGN} 4")
    await page.keyboard.press("ArrowLeft")
    await expect(item).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("ArrowDown")
    await expect(item).to_contain_text("Level 2")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(item).to_contain_text("Root level")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(dashboard.panel).to_contain_text("Job 0")
    await page.keyboard.press("Escape")
    await expect(dashboard.panel).to_be_hidden()
    await expect(dashboard.picture).to_be_focused()


async def test_each_state_has_a_shape_and_a_colour_of_its_own(server: RunningServer, context: BrowserContext) -> None:
    dashboard = await Dashboard.visit(context, server, "flows")
    looks = await dashboard.page.evaluate(
        """import("/assets/dashboard/states.js").then(({ NODE_STATES, look }) => NODE_STATES.map((state) => {
          const { path, colour } = look(state);
          return [path, getComputedStyle(document.documentElement).getPropertyValue(colour) + state];
        }))"""
    )
    assert len(looks) == 7
    assert len({path for path, _ in looks}) == 7


async def test_of_thousands_of_jobs_only_what_is_visible_is_drawn(
    server: RunningServer, context: BrowserContext, pictures: Path
) -> None:
    add_jobs(server)
    key = submit_flow(
        server,
        dependent=[{"jobs": [{"job": "square"}] * 1_500}, {"jobs": [{"job": "square"}] * 499}],
        jobs=[{"job": "sum"}],
    )
    await until(lambda: queued(server, key) == 1_999, "all jobs in the queue")
    await context.add_init_script(
        """window.drawn = 0;
        const drawImage = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...given) {
          window.drawn += 1;
          return drawImage.apply(this, given);
        };"""
    )
    dashboard = await Dashboard.visit(context, server, f"flows/{key}")
    page = dashboard.page
    await expect(dashboard.active_item).to_contain_text("Root level")
    await page.get_by_role("button", name="Close all").click()
    await page.get_by_role("button", name="Open all").click()
    drawn = await page.evaluate(
        """new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
          window.drawn = 0;
          document.querySelector(".picture").scrollTop = 1000;
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.drawn)));
        })))"""
    )
    assert 200 < drawn < 5_000
    await page.screenshot(path=pictures / "dashboard-flow-large.png")
    assert dashboard.complaints == []
