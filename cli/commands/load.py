"""`comp-pool load`: jobs and variables from files."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.token_option import token_option
from comp_pool import NotAPool, PoolClient, PoolUnavailable
from comp_pool.files import STANDARD_INPUT, FileProblem, read_text, shown
from comp_pool.loading import Loaded, Loader, LoadProblem, Workload, read_workload
from server.problems import Failure, lines, one_line

DEFAULT_URL = "http://127.0.0.1:7070"
PATIENCE_S = 60.0


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--url", default=DEFAULT_URL, show_default=True, envvar="COMP_POOL_URL", help="The pool's address.")
@token_option
@click.option(
    "--wait",
    "patience_s",
    type=click.FloatRange(0),
    default=PATIENCE_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a pool that is away.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def load(files: tuple[str, ...], url: str, token: str, patience_s: float, as_json: bool) -> None:
    """Load jobs and variables from JSON or YAML files; - is standard input.

    \b
    jobs:
      - name: Example job
        executeFunctionFile: example.js      # or executeFunction: the source itself
        validateResult: (variable, result, context) => ...
        metadata: {description: {en: An example}}
        policy: {quorum: 2}
        variables: [1, two, {x: 3}, {id: fourth, value: 4}]

    Names may be in camelCase or snake_case. Loading a file again, or a longer one, adds only what is new. What an
    original comp-pool persisted (jobs, variables with for_jobs, results) can be loaded too.
    """
    try:
        loaded = asyncio.run(_load([_read(file) for file in files], url, token, patience_s))
    except LoadProblem as problem:
        raise Failure(lines(problem, problem.others)) from problem
    except (NotAPool, PoolUnavailable) as problem:
        raise Failure(one_line(problem)) from problem
    if as_json:
        click.echo(json.dumps(asdict(loaded)))
    else:
        _say(loaded)


def _read(file: str) -> Workload:
    try:
        text = read_text(file)
    except FileProblem as problem:
        raise Failure(f"{shown(file)} {problem}") from problem
    return read_workload(shown(file), text, Path() if file == STANDARD_INPUT else Path(file).parent)


async def _load(workloads: list[Workload], url: str, token: str, patience_s: float) -> Loaded:
    total = sum(len(each.results) + sum(len(job.variables) for job in each.jobs) for each in workloads)
    columns = TextColumn("loading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    async with PoolClient(url, token=token) as client:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("", total=total)
            loader = Loader(client, patience_s=patience_s, advance=lambda n: progress.advance(bar, n))
            for workload in workloads:
                await loader.load(workload)
    return loader.loaded


def _say(loaded: Loaded) -> None:
    for warning in loaded.warnings:
        click.echo(f"Warning: {warning}", err=True)
    for what, new, kept in (
        ("jobs", len(loaded.jobs), len(loaded.kept_jobs)),
        ("variables", loaded.variables, loaded.kept_variables),
        ("results", loaded.results, loaded.kept_results),
    ):
        if new or kept:
            click.echo(f"{what}: {new:,} loaded, {kept:,} there already")
