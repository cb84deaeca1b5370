"""Where Chromium is, and how it starts.

Pages are driven in its headless shell, which is the same Blink and V8 without a browser's windows: a new page costs
0.14 s of processor time in it, and 1.2 s in the browser. That a job can't leave its cell, nor take the page with it, is
tried in the browser: only there a cell has a process of its own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.async_api import Browser, Playwright

from tests.conftest import lacking

SHELL = Path("/usr/bin/chromium-headless-shell")
BROWSER = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


async def launch(playwright: Playwright, *arguments: str, program: Path = SHELL) -> Browser:
    """The caller closes it."""
    if shutil.which(program) is None:
        lacking(str(program))
    return await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *arguments])
