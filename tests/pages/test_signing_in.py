"""Signing in on the dashboard, in a real browser: with a token, and at a provider on another site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.pages.accessibility import violations
from tests.pages.dashboard import Dashboard
from tests.processes import HTTP, RunningServer
from tests.provider import running_provider
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {"usage": "meter", "tokens": "tbody tr", "accounts": "tbody tr", "audit": "tbody tr"}
"""With what is there once a page has been read."""


@pytest.fixture
def guarded() -> Iterator[RunningServer]:
    """A pool that wants tokens."""
    with warm_server("memory", options=("--auth", "tokens")) as server:
        yield server


async def sign_in(dashboard: Dashboard, token: str) -> None:
    await dashboard.go("sign-in")
    await dashboard.page.get_by_label("token").fill(token)
    await dashboard.page.get_by_role("button", name="Sign in").click()


async def test_one_signs_in_with_a_token_and_out_again(guarded: RunningServer, context: BrowserContext) -> None:
    dashboard = await Dashboard.visit(context, guarded, "flows")
    page = dashboard.page
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(dashboard, "cp_wrong")
    await expect(page.get_by_role("alert")).to_have_text("this pool knows no such token")
    await sign_in(dashboard, guarded.operator_token)
    menu = page.get_by_role("banner").get_by_text("operator")
    await expect(menu).to_be_visible()
    [cookie] = await context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        "comp_pool_session",
        True,
        "Strict",
        "/",
    )
    assert guarded.operator_token not in str(await context.storage_state())
    await dashboard.go("submit?kind=job")
    await page.get_by_label("name").fill("cube")
    await page.get_by_label("executeFunction").fill("(variable, context) => context")
    await page.get_by_label("Variables, as JSON").fill("[]")
    await page.get_by_role("button", name="Submit the job").click()
    await expect(page.locator("h1")).to_have_text("cube")
    await dashboard.sees("operator")
    await page.reload()
    await menu.click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert await context.cookies() == []


async def test_the_link_of_a_first_start_signs_the_operator_in_once(
    guarded: RunningServer, context: BrowserContext
) -> None:
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer')}"))
    link = guarded.said["operatorLink"]
    await page.goto(link)
    await expect(page.get_by_role("banner").get_by_text("operator")).to_be_visible()
    await expect(page).to_have_url(f"{guarded.url}/dashboard#/flows")
    assert asked
    assert [each for each in asked if "cl_" in each] == []
    assert await page.evaluate("history.length") <= 3
    await page.go_back()
    assert "cl_" not in page.url

    assert context.browser
    other = await (await context.browser.new_context()).new_page()
    await other.goto(link)
    await expect(other.get_by_role("alert").first).to_contain_text("this link works once")
    await expect(other).to_have_url(f"{guarded.url}/dashboard#/sign-in")
    await expect(other.get_by_label("token")).to_be_visible()
    await other.context.close()


async def test_one_signs_in_at_a_provider_on_another_site(context: BrowserContext, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the provider")
    with running_provider() as issuer:
        provider = ("--oidc-issuer", issuer, "--oidc-client-id", "pool", "--oidc-client-secret-file", str(secret))
        with warm_server("memory", options=(*provider, "--oidc-name", "Example", "--oidc-sign-up", "a1")) as server:
            # Ports of one host are one site to a browser.
            server.url = server.url.replace("127.0.0.1", "localhost")
            dashboard = await Dashboard.visit(context, server, "sign-in")
            page = dashboard.page
            await page.get_by_role("link", name="Sign in with Example").click()
            await page.get_by_role("button", name="a1", exact=True).click()
            await expect(page.get_by_role("banner").get_by_text("Ada")).to_be_visible()
            await expect(page).to_have_url(f"{server.url}/dashboard#/flows")
            assert {(each["name"], each["sameSite"]) for each in await context.cookies(server.url)} == {
                ("comp_pool_session", "Strict")
            }
            await context.clear_cookies()
            await dashboard.go("sign-in")
            await page.get_by_role("link", name="Sign in with Example").click()
            await page.get_by_role("button", name="n1", exact=True).click()
            await expect(page.get_by_role("alert").first).to_contain_text("there is no account for you in this pool")
            await page.get_by_role("link", name="Sign in with Example").click()
            await page.get_by_role("button", name="Deny").click()
            await expect(page.get_by_role("alert").first).to_contain_text("the provider says that this was denied")
            # The provider's own pages complain of what they can't load.
            assert [said for said in dashboard.complaints if "Content Security Policy" in said] == []


async def test_one_makes_and_revokes_tokens_and_an_operator_sees_who_did(
    guarded: RunningServer, context: BrowserContext
) -> None:
    dashboard = await Dashboard.visit(context, guarded, "sign-in")
    page = dashboard.page
    await sign_in(dashboard, guarded.operator_token)
    menu = page.get_by_role("banner").get_by_text("operator")
    await menu.click()
    await page.get_by_role("link", name="Accounts").click()
    await page.get_by_label("name").fill("Ada Lovelace")
    await page.get_by_role("button", name="Make an account").click()
    await page.get_by_role("link", name="Tokens of Ada Lovelace").click()
    await expect(page.locator("h1")).to_have_text("Tokens of Ada Lovelace")
    await page.get_by_label("name").fill("laptop")
    await page.get_by_role("button", name="Make it").click()
    shown = page.get_by_role("status").locator("pre")
    await expect(shown).to_contain_text("cp_")
    token = await shown.inner_text()
    await expect(page.locator("tbody tr")).to_contain_text("laptop")
    await page.reload()
    await expect(page.locator("tbody tr")).to_contain_text("laptop")
    assert token not in await page.content()

    other = await context.browser.new_context() if context.browser else None
    assert other is not None
    ada = await Dashboard.visit(other, guarded, "sign-in")
    await sign_in(ada, token)
    await ada.page.get_by_role("banner").get_by_text("Ada Lovelace").click()
    assert await ada.page.get_by_role("link", name="Audit log").count() == 0
    await ada.page.get_by_role("link", name="My tokens").click()
    await expect(ada.page.locator("tbody tr")).to_have_count(2)
    await ada.go("accounts")
    await expect(ada.page.get_by_role("alert")).to_contain_text("OPERATE")

    await dashboard.go("accounts")
    row = page.locator("tbody tr").filter(has_text="Ada Lovelace")
    await row.get_by_role("button", name="Block").click()
    await page.get_by_role("button", name="Yes").click()
    await expect(row).to_contain_text("blocked")
    await ada.page.reload()
    await expect(ada.page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    await other.close()
    await row.get_by_role("button", name="Unblock").click()
    await expect(row).to_contain_text("active")
    await dashboard.go("audit")
    entries = page.locator("tbody tr")
    await expect(entries.first).to_contain_text("unblockAccount")
    await expect(entries.filter(has_text="signIn").filter(has_text="ada-lovelace")).to_have_count(1)
    assert dashboard.complaints == []


async def test_one_sees_what_one_has_beside_what_one_may(context: BrowserContext) -> None:
    options = ("--auth", "tokens", "--account-variables", "4", "--account-flows", "0")
    with warm_server("memory", options=options) as server:
        header = {"authorization": f"Bearer {server.operator_token}"}
        job = {"name": "Cube", "execute_function": "x => x"}
        HTTP.post(f"{server.url}/jobs", json=job, headers=header).raise_for_status()
        for value in range(3):
            HTTP.post(f"{server.url}/jobs/cube/variables", json={"value": value}, headers=header).raise_for_status()
        dashboard = await Dashboard.visit(context, server, "sign-in")
        page = dashboard.page
        await sign_in(dashboard, server.operator_token)
        await page.get_by_role("banner").get_by_text("operator").click()
        await page.get_by_role("link", name="My usage").click()
        await expect(page.locator("h1")).to_have_text("My usage")
        quotas = page.get_by_role("list", name="Quotas").get_by_role("listitem")
        await expect(quotas.filter(has_text="Open variables")).to_contain_text("3 of 4 (75 %)")
        meter = page.get_by_role("meter", name="Open variables")
        assert await meter.evaluate("meter => [meter.value, meter.max, meter.ariaValueText]") == [3, 4, "3 of 4"]
        await expect(quotas.filter(has_text="Open flows")).to_contain_text("0, of any amount")
        await expect(quotas.filter(has_text="Stored")).to_contain_text("of 1 GB")
        await expect(quotas.filter(has_text="Sandbox")).to_contain_text("of 60 s")
        await expect(page.get_by_role("meter")).to_have_count(3)
        await dashboard.go("accounts")
        await page.get_by_role("link", name="Usage of operator").click()
        await expect(page.locator("h1")).to_have_text("Usage of operator")
        await expect(quotas.filter(has_text="Open variables")).to_contain_text("3 of 4 (75 %)")
        assert dashboard.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_its_pages_are_for_everybody_on_any_screen(
    width: int, guarded: RunningServer, chromium: Browser, axe: str, pictures: Path
) -> None:
    context = await chromium.new_context(viewport={"width": width, "height": 900})
    try:
        dashboard = await Dashboard.visit(context, guarded, "sign-in")
        page = dashboard.page
        found = {"sign-in": await violations(page, axe, pictures / f"dashboard-{width}-sign-in")}
        await sign_in(dashboard, guarded.operator_token)
        await page.get_by_role("banner").get_by_text("operator").click()
        await page.get_by_role("button", name="Sign out").wait_for()
        found["menu"] = await violations(page, axe, pictures / f"dashboard-{width}-menu")
        for name, there in PAGES.items():
            await dashboard.go(name)
            await page.locator(there).first.wait_for()
            found[name] = await violations(page, axe, pictures / f"dashboard-{width}-{name}")
        assert found == {name: [] for name in found}
    finally:
        await context.close()
