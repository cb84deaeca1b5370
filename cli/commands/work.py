"""`comp-pool work`: the native volunteer."""

from __future__ import annotations

import os

import click
import uvloop
from rich.console import Console

from cli.token_option import token_option
from cli.volunteer_display import display
from comp_pool import NotAPool, PoolClient, PoolRefused
from server.problems import Failure, one_line
from server.stopping import stop_signals
from volunteer import Options, Tally, Volunteer, remembered


@click.command()
@click.argument("url")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=os.cpu_count() or 1,
    show_default="the processors there are",
    help="Computations at the same time, each in a process of its own.",
)
@click.option("--job", "jobs", multiple=True, metavar="KEY", help="Compute only this job; may be repeated.")
@click.option("--owner", "owners", multiple=True, metavar="NAME", help="Only jobs of this owner; may be repeated.")
@click.option("--max-tasks", type=click.IntRange(1), metavar="N", help="End after so many tasks.")
@click.option("--scheduler", default="", metavar="NAME", help="random, shortest, owners, oldest or an installed one.")
@click.option("--until-idle", is_flag=True, help="End when the pool has nothing more for this host.")
@click.option("--new-host", is_flag=True, help="Forget which host this was at this pool, and be a new one.")
@token_option
@click.option("--json", "as_json", is_flag=True, help="Write each event as one line of JSON.")
def work(
    url: str,
    concurrency: int,
    jobs: tuple[str, ...],
    owners: tuple[str, ...],
    max_tasks: int | None,
    scheduler: str,
    until_idle: bool,
    new_host: bool,
    token: str,
    as_json: bool,
) -> None:
    """Compute a pool's tasks until Ctrl-C, which gives back what is not computed yet.

    URL is the pool's address, such as http://127.0.0.1:7070. The jobs' code runs in V8 processes without access to
    files or network, and only if it is what its SHA-256 says. The host keeps its identity for the next time.
    """
    options = Options(
        concurrency=concurrency,
        jobs=jobs,
        owners=owners,
        scheduler=scheduler,
        max_tasks=max_tasks or 0,
        until_idle=until_idle,
    )
    try:
        uvloop.run(_work(url, options, token=token, new_host=new_host, as_json=as_json))
    except (NotAPool, PoolRefused) as problem:
        raise Failure(one_line(problem)) from problem


async def _work(url: str, options: Options, *, token: str, new_host: bool, as_json: bool) -> None:
    async with PoolClient(url, token=token) as client:
        with (
            stop_signals() as stop,
            remembered(client.url, new=new_host) as identity,
            display(Console(), Tally(), as_json=as_json) as tell,
        ):
            await Volunteer(client, identity, options, tell=tell).run(stop)
