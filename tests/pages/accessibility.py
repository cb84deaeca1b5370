"""What axe-core finds wrong in a page."""

from pathlib import Path
from typing import Literal

from playwright.async_api import Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def violations(page: Page, axe: str, picture: Path | None = None) -> list[str]:
    """The rules that a page breaks, light or dark, with the elements that do; sideways scrolling too.

    With `picture` the page is photographed in both schemes, as that with `-light` and `-dark` at its end.
    """
    found = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in await _broken_rules(page, axe)]
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            found.append(f"{scheme}: it scrolls sideways")
        if picture:
            await page.screenshot(path=picture.with_name(f"{picture.name}-{scheme}.png"), full_page=True)
    return found


async def _broken_rules(page: Page, axe: str) -> list[str]:
    # Evaluated apart from the page's own policy.
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": axe})
    answer = await session.send(
        "Runtime.evaluate",
        {
            "expression": """axe.run(document, { iframes: false }).then(({ violations }) => JSON.stringify(
              violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`)))""",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    found = answer["result"]["value"]
    return [] if found == "[]" else [found]
