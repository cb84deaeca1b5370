"""The dashboard, driven."""

from playwright.async_api import BrowserContext, Locator, Page

from tests.processes import PATIENCE_S, RunningServer


class Dashboard:
    """One tab with the dashboard. What goes wrong in it is in `complaints`, what it asked for in `requests`."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.requests.append(request.url))

    @classmethod
    async def visit(cls, context: BrowserContext, server: RunningServer, where: str) -> "Dashboard":
        dashboard = cls(await context.new_page(), server.url)
        dashboard.page.set_default_timeout(PATIENCE_S * 1000)
        await dashboard.go(where)
        return dashboard

    async def go(self, where: str) -> None:
        await self.page.goto(f"{self.url}/dashboard#/{where}")
        await self.page.locator("h1").wait_for()

    async def sees(self, text: str) -> None:
        """Wait until the page says so."""
        await self.page.locator("main").get_by_text(text).first.wait_for()

    async def counts(self, words: str) -> None:
        """Wait until the counts of the page say so."""
        await self.page.locator(".count").get_by_text(words, exact=True).wait_for()

    @property
    def picture(self) -> Locator:
        return self.page.get_by_role("tree")

    @property
    def active_item(self) -> Locator:
        """What a screen reader is told of the picture."""
        return self.picture.get_by_role("treeitem")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("complementary", name="Details")
