"""An operator's pages: jobs to approve, hosts and blocks, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.pages.accessibility import violations
from tests.pages.dashboard import Dashboard
from tests.pages.test_signing_in import sign_in
from tests.processes import HTTP, RunningServer
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCE = "(variable, context) => ({...context, result: variable})"


@pytest.fixture
def reviewing() -> Iterator[RunningServer]:
    """A pool with an owner's job that waits for approval, and a host."""
    with warm_server("memory", options=("--auth", "tokens", "--review")) as server:
        operator = server.operator_token
        mutate(server, operator, "createAccount", name="Ada")
        token = mutate(server, operator, "createToken", "text", account="ada", name="laptop", scopes=["SUBMIT"])["text"]
        for name in ("Useful", "Harmful"):
            mutate(server, token, "createJob", name=name, executeFunction=SOURCE)
        mutate(server, "", "claimTasks", "host", hostName="cheat")
        yield server


def mutate(server: RunningServer, token: str, name: str, wanted: str = "", /, **given: Any) -> dict[str, Any]:
    document = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{
      {name}(input: $input) {{ {wanted} userErrors {{ message }} }} }}"""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": {"input": given}}
    payload: dict[str, Any] = HTTP.post(f"{server.url}/graphql", json=body, headers=headers).json()["data"][name]
    assert payload["userErrors"] == []
    return payload


def row(page: Page, text: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=text)


async def test_an_operator_approves_rejects_blocks_and_forgives(
    reviewing: RunningServer, context: BrowserContext
) -> None:
    dashboard = await Dashboard.visit(context, reviewing, "sign-in")
    page = dashboard.page
    await sign_in(dashboard, reviewing.operator_token)
    await page.get_by_role("banner").get_by_text("operator").click()
    await page.get_by_role("link", name="Jobs to approve").click()
    await page.get_by_text("Source of Useful").click()
    await expect(row(page, "Useful")).to_contain_text("result: variable")
    await page.get_by_role("button", name="Approve Useful").click()
    await expect(row(page, "Useful")).to_have_count(0)
    await page.get_by_role("button", name="Reject Harmful").click()
    await page.get_by_label("reason").fill("It mines coins.")
    await page.get_by_role("button", name="Yes").click()
    await dashboard.sees("No job waits for approval.")
    await dashboard.go("jobs/harmful")
    await dashboard.sees("The operator rejected it: It mines coins.")

    await dashboard.go("hosts")
    await row(page, "cheat").get_by_role("button", name="Block").click()
    await page.get_by_label("reason").fill("It cheats.")
    await page.get_by_label("it holds").select_option("a week")
    await page.get_by_role("button", name="Yes").click()
    await expect(row(page, "cheat")).to_contain_text("blocked: It cheats.")
    await dashboard.go("blocks")
    await page.get_by_label("address or network").fill("192.0.2.7")
    await page.get_by_role("button", name="Block a network").click()
    await page.get_by_label("reason").fill("It floods.")
    await page.get_by_role("button", name="Yes").click()
    await expect(row(page, "192.0.2.0/24")).to_contain_text("for ever")
    await row(page, "the host").get_by_role("button", name="Unblock").click()
    await page.get_by_role("button", name="Yes").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await dashboard.go("accounts")
    await page.get_by_role("button", name="Approve Ada").click()
    await page.get_by_role("button", name="Yes").click()
    await expect(row(page, "Ada")).to_contain_text("approved")
    await dashboard.go("audit")
    for act in ("approveJob", "rejectJob", "blockHost", "unblockHost", "blockAddressGroup", "approveAccount"):
        await expect(page.get_by_role("cell", name=act, exact=True)).to_have_count(1)
    assert dashboard.complaints == []


async def test_its_pages_are_for_everybody_on_any_screen(
    reviewing: RunningServer, chromium: Browser, axe: str, pictures: Path
) -> None:
    operator = reviewing.operator_token
    mutate(reviewing, operator, "blockAddressGroup", addressGroup="192.0.2.7", reason="It floods.")
    context = await chromium.new_context()
    try:
        dashboard = await Dashboard.visit(context, reviewing, "sign-in")
        page = dashboard.page
        await sign_in(dashboard, operator)
        await page.get_by_role("banner").get_by_text("operator").wait_for()
        found = {}
        for name in ("reviews", "hosts", "blocks"):
            await dashboard.go(name)
            await page.locator("tbody tr").first.wait_for()
            for width in (360, 1280):
                await page.set_viewport_size({"width": width, "height": 900})
                found[name, width] = await violations(page, axe, pictures / f"dashboard-{width}-{name}")
            if name == "blocks":
                await page.get_by_role("button", name="Unblock").click()
                found["dialog", 1280] = await violations(page, axe)
        assert found == {name: [] for name in found}
    finally:
        await context.close()
