"""What axe-core finds wrong in a page."""

from playwright.async_api import Page


async def violations(page: Page, axe: str) -> list[str]:
    """The rules that a page breaks, with the elements that do. It is evaluated apart from the page's own policy."""
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
