"""Watching a flow from the command line until it has ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from cli.flow_picture import FlowPicture
from comp_pool import NotAPool, PoolClient, PoolRefused, PoolUnavailable
from comp_pool.flows import FlowUpdate, watch_flow
from comp_pool.schema import FlowState
from server.problems import Failure, one_line

LOST, INTERRUPTED = 3, 130
MOST_FAILED = 20
FAILED = f"""query ($key: String!) {{ flow(key: $key) {{
  nodes(first: {MOST_FAILED}, state: FAILED) {{ nodes {{ number as reason }} }} }} }}"""


class PoolLost(Failure):
    """The pool was away for too long; the flow may go on without its watcher."""

    exit_code = LOST


def watch_to_its_end(url: str, token: str, key: str, *, as_json: bool) -> None:
    """Show how a flow goes on, and its result. Ends the process with exit code 1 unless the flow completes.

    Raises Failure.
    """
    try:
        last = asyncio.run(_follow(url, token, key, as_json))
    except (NotAPool, PoolRefused) as problem:
        raise Failure(one_line(problem)) from problem
    except PoolUnavailable as problem:
        raise PoolLost(f"{one_line(problem)}. {_how_to_go_on(key)}") from problem
    except KeyboardInterrupt:
        click.echo(f"\nNo longer watched. {_how_to_go_on(key)}", err=True)
        raise SystemExit(INTERRUPTED) from None
    if last["state"] != FlowState.COMPLETED:
        raise SystemExit(1)


def _how_to_go_on(key: str) -> str:
    return f"The flow may go on: watch it with `comp-pool flow watch {key}`, end it with `comp-pool flow cancel {key}`"


async def _follow(url: str, token: str, key: str, as_json: bool) -> dict[str, Any]:
    """The last delta."""
    console = Console()
    async with PoolClient(url, token=token) as client:
        if as_json:
            return await _tell(client, key, lambda update: click.echo(json.dumps(update.delta)))
        if console.is_terminal:
            last = await _draw(client, key, console)
        else:
            last = await _tell(client, key, _Lines().tell)
        await _say_end(client, key, last)
        return last


async def _draw(client: PoolClient, key: str, console: Console) -> dict[str, Any]:
    picture = FlowPicture()
    with Live(picture, console=console, auto_refresh=False) as live:

        def draw(update: FlowUpdate) -> None:
            picture.update(update)
            live.refresh()

        return await _tell(client, key, draw)


async def _tell(client: PoolClient, key: str, tell: Callable[[FlowUpdate], object]) -> dict[str, Any]:
    """The last delta."""
    last: dict[str, Any] = {}
    async for update in watch_flow(client, key, lost=_say_lost):
        tell(update)
        last = update.delta
    return last


def _say_lost(problem: PoolUnavailable) -> None:
    click.echo(f"{one_line(problem)}; trying again", err=True)


@dataclass(slots=True)
class _Lines:
    """A line whenever there is something new to say."""

    said: str = field(default="", init=False)

    def tell(self, update: FlowUpdate) -> None:
        delta = update.delta
        progress = delta["progress"]
        counts = ", ".join(f"{count} {state}" for state, count in progress["byState"].items() if count)
        line = f"{delta['state']}: {progress['fraction']:.0%} of {progress['total']:,} ({counts})"
        reasons = "; ".join(each["message"] for each in delta["flow"]["whyWaiting"])
        line += f": {reasons}" if reasons else ""
        if line != self.said:
            click.echo(line)
            self.said = line


async def _say_end(client: PoolClient, key: str, last: dict[str, Any]) -> None:
    """The result, or why there is none; and why jobs failed."""
    if last["progress"]["byState"]["failed"]:
        failed = (await client.call(FAILED, key=key))["flow"]["nodes"]["nodes"]
        for each in failed:
            click.echo(f"job {each['number']}, {each['as']}, failed: {each['reason']}", err=True)
        if len(failed) == MOST_FAILED:
            click.echo("(more that failed are not shown)", err=True)
    if last["state"] == FlowState.COMPLETED:
        click.echo(json.dumps(last["flow"]["result"], ensure_ascii=False, indent=2))
    else:
        click.echo(f"{last['state']}: {last['flow']['reason']}", err=True)
