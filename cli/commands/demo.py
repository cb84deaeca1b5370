"""`comp-pool demo`: the whole pool at work, in one command."""

from __future__ import annotations

import asyncio
import io
import json
import re
from contextlib import suppress
from pathlib import Path

import click
import uvloop
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.live import Live

from cli.demo import Demo, Outcome, view
from server.logs import set_up_logging
from server.problems import Failure, one_line
from server.settings import LogLevel
from storage.embedded import EngineFailed

PLAIN_LINE_S = 2.0
REFRESHES_A_SECOND = 5
PICTURE_COLUMNS = 100
FONTS_FROM_ELSEWHERE = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON, and nothing else.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Keep a picture of the terminal as it is at the end.",
)
def demo(as_json: bool, record: Path | None) -> None:
    """Watch a pool at work: a server, three jobs, and three volunteers, one of whom cheats.

    It takes about half a minute, needs no network, and leaves nothing behind. Every result is checked against an
    independent computation; the exit code is 1 if one of them is wrong.
    """
    set_up_logging(LogLevel.ERROR)
    console = Console()
    demonstration = Demo()
    try:
        outcome = uvloop.run(_run(demonstration, console, as_json=as_json))
    except EngineFailed as problem:
        raise Failure(one_line(problem)) from problem
    if record:
        record.write_text(_picture(demonstration, outcome), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(outcome.dump()))
    else:
        console.print(view.summary(outcome))
    if not outcome.is_right:
        raise SystemExit(1)


async def _run(demonstration: Demo, console: Console, *, as_json: bool) -> Outcome:
    if as_json:
        return await demonstration.run()
    if not console.is_terminal:
        return await _with_plain_lines(demonstration)
    with Live(
        get_renderable=lambda: view.live(demonstration.state), console=console, refresh_per_second=REFRESHES_A_SECOND
    ):
        return await demonstration.run()


async def _with_plain_lines(demonstration: Demo) -> Outcome:
    async def say() -> None:
        while True:
            click.echo(view.plain(demonstration.state))
            await asyncio.sleep(PLAIN_LINE_S)

    saying = asyncio.create_task(say())
    try:
        return await demonstration.run()
    finally:
        saying.cancel()
        with suppress(asyncio.CancelledError):
            await saying
        click.echo(view.plain(demonstration.state))


def _picture(demonstration: Demo, outcome: Outcome) -> str:
    console = Console(record=True, file=io.StringIO(), width=PICTURE_COLUMNS, force_terminal=True)
    console.print("$ comp-pool demo", style="bold")
    console.print(view.live(demonstration.state))
    console.print(view.summary(outcome))
    # A picture that loads nothing: the reader's own monospaced font will do.
    return console.export_svg(title="comp-pool", code_format=FONTS_FROM_ELSEWHERE.sub("", CONSOLE_SVG_FORMAT))
