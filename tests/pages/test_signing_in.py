"""Signing in on the dashboard, in a real browser: with a token, and at a provider on another site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.pages.dashboard import Dashboard
from tests.processes import RunningServer
from tests.provider import running_provider
from tests.warm_servers import warm_server

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    await sign_in(dashboard, guarded.said["operatorToken"])
    menu = page.get_by_role("banner").get_by_text("operator")
    await expect(menu).to_be_visible()
    [cookie] = await context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        "comp_pool_session",
        True,
        "Strict",
        "/",
    )
    assert guarded.said["operatorToken"] not in str(await context.storage_state())
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
