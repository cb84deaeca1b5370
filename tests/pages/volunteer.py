"""The volunteer page, driven."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from playwright.async_api import BrowserContext, Page

from tests.processes import PATIENCE_S, RunningServer

LOOK_S = 0.2
LIGHTEST = {"workers": 1, "share": 100}


class Volunteer:
    """One tab with the volunteer page. What goes wrong in it is in `complaints`."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    @classmethod
    async def visit(cls, context: BrowserContext, server: RunningServer, **choices: Any) -> "Volunteer":
        """A new tab; `choices` are kept in the browser as if they were made before."""
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        if choices:
            text = json.dumps(json.dumps(choices))
            await page.add_init_script(f"try {{ localStorage['comp-pool.choices'] ??= {text} }} catch {{}}")
        volunteer = cls(page, server.url)
        await volunteer.open()
        return volunteer

    async def open(self) -> None:
        await self.page.goto(f"{self.url}/volunteer")
        await self.page.locator("#start:enabled").wait_for()

    async def start(self) -> None:
        await self.page.get_by_role("button", name="Start computing").click()

    async def stop(self) -> None:
        await self.page.get_by_role("button", name="Stop computing").click()
        await self.page.locator("#start:visible").wait_for()

    async def status(self) -> str:
        return await self.page.locator("#status-text").inner_text()

    async def notes(self) -> str:
        return await self.page.locator("#notes").inner_text()

    async def figure(self, name: str) -> str:
        """A figure of what was done, as it is shown; empty: it is not."""
        shown = self.page.locator("#figures div", has=self.page.locator(f"dt:text-is('{name}')")).locator("b")
        return await shown.inner_text() if await shown.count() else ""


async def until(condition: Callable[[], Any | Awaitable[Any]], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if isawaitable(value):
            value = await asyncio.wait_for(value, max(LOOK_S, deadline - time.monotonic()))
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        await asyncio.sleep(LOOK_S)


async def says(volunteer: Volunteer, words: str) -> bool:
    return words in await volunteer.status()


async def figure_is(volunteer: Volunteer, name: str, value: str) -> bool:
    return await volunteer.figure(name) == value
