"""What a volunteer's operator sees: one live line, plain lines where there is no terminal, or JSON lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import click
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from comp_pool.schema import WhyNoWork
from volunteer import Event, Judged, Tally, Waiting, Warned, described

PLAIN_LINE_S = 10.0
REFRESHES_A_SECOND = 8

Tell = Callable[[Event], None]


def display(console: Console, tally: Tally, *, as_json: bool) -> AbstractContextManager[Tell]:
    """The way to show events that suits where the output goes; it counts them into `tally`."""
    if as_json:
        return _json_lines(tally)
    return _live_line(console, tally) if console.is_terminal else _plain_lines(tally)


@contextmanager
def _json_lines(tally: Tally) -> Iterator[Tell]:
    def tell(event: Event) -> None:
        tally.add(event)
        click.echo(json.dumps(described(event)))

    yield tell
    click.echo(json.dumps({"event": "summary", **tally.summary()}))


@contextmanager
def _plain_lines(tally: Tally) -> Iterator[Tell]:
    next_line = time.monotonic() + PLAIN_LINE_S
    waiting = ""

    def tell(event: Event) -> None:
        nonlocal next_line, waiting
        tally.add(event)
        match event:
            case Warned(message):
                click.echo(f"Warning: {message}", err=True)
            case Waiting(why, _) if why != waiting:
                click.echo(f"waiting: {worded(why)}")
        waiting = event.why if isinstance(event, Waiting) else waiting if not isinstance(event, Judged) else ""
        if time.monotonic() >= next_line:
            click.echo(progress(tally))
            next_line = time.monotonic() + PLAIN_LINE_S

    yield tell
    click.echo(f"done: {progress(tally)}")


@contextmanager
def _live_line(console: Console, tally: Tally) -> Iterator[Tell]:
    waiting = ""
    spinner = Spinner("dots")

    def line() -> Spinner:
        spinner.update(text=Text.assemble((progress(tally), "bold"), (f"   {worded(waiting)}", "dim")))
        return spinner

    with Live(get_renderable=line, console=console, refresh_per_second=REFRESHES_A_SECOND, transient=True) as live:

        def tell(event: Event) -> None:
            nonlocal waiting
            tally.add(event)
            if isinstance(event, Warned):
                live.console.print(Text.assemble(("Warning", "yellow"), f": {event.message}"))
            waiting = event.why if isinstance(event, Waiting) else "" if isinstance(event, Judged) else waiting

        yield tell
    console.print(Text.assemble(("done", "green"), f": {progress(tally)}"))


def progress(tally: Tally) -> str:
    """The figures in a line of words."""
    parts = [f"{tally.submitted} results", f"{tally.rate:.1f} tasks/s"]
    if tally.standing:
        parts += [f"{tally.standing.valid} valid and {tally.standing.invalid} invalid so far as this host"]
    if tally.failed:
        parts.append(f"{tally.failed} failed")
    if tally.lost:
        parts.append(f"{tally.lost} lost")
    if tally.released:
        parts.append(f"{tally.released} given back")
    return " · ".join(parts)


WORDS: dict[str, str] = {
    WhyNoWork.DRAINING: "the server is stopping",
    WhyNoWork.NO_OPEN_WORK: "there is no work",
    WhyNoWork.NO_SUPPORTED_WORK: "there is no work of the jobs and owners asked for",
    WhyNoWork.WAITING_FOR_OTHER_HOSTS: "what is left needs other hosts' votes",
    WhyNoWork.BLOCKED: "the pool's operator has blocked this host, or its network",
}


def worded(why: str) -> str:
    return WORDS.get(why, why)
