"""`python -m bench`: measure, and say what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from bench.cycles import cycles
from bench.dashboard import dashboard
from bench.figures import Figure
from bench.flows import flows
from bench.http_costs import MANY, http_costs
from bench.portable_math import portable_math
from bench.validations import validations

SECTIONS = ("http", "cycles", "validations", "flows", "dashboard", "math")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a figure.")
@click.option("--only", type=click.Choice(SECTIONS), multiple=True, help="Measure no more than this.")
@click.option("--scale", type=click.FloatRange(0.01, 100), default=1.0, help="How much longer to measure.")
@click.option("--variables", type=click.IntRange(100), default=MANY, help="Length of the longer list of variables.")
def main(as_json: bool, only: tuple[str, ...], scale: float, variables: int) -> None:
    """Measure what the pool costs on this machine. Ratios travel to other machines, the rest does not."""
    console = Console(stderr=as_json)
    with console.status("measuring"):
        figures = list(_figures(only or SECTIONS, scale, variables))
    if as_json:
        click.echo(json.dumps([{**asdict(figure), "met": figure.met} for figure in figures], indent=2))
    else:
        console.print(_table(figures))


def _figures(sections: tuple[str, ...], scale: float, variables: int) -> Iterator[Figure]:
    if "http" in sections:
        yield from http_costs(int(10_000 * scale), variables)
    if "cycles" in sections:
        yield from cycles(max(1, int(10 * scale)) * 50)
    if "validations" in sections:
        yield from validations(max(1, int(10 * scale)) * 200)
    if "flows" in sections:
        yield from flows(scale)
    if "dashboard" in sections:
        yield from dashboard(scale)
    if "math" in sections:
        yield from portable_math(max(1, int(20 * scale)))


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "value", "", "ratio", "at most")
    for column in table.columns[1:]:
        column.justify = "right"
    for figure in figures:
        missed = figure.met is False
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(
            figure.name,
            f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.1f}",
            figure.unit,
            f"[bold red]{ratio}[/]" if missed else ratio,
            "" if figure.target is None else f"{figure.target:g}",
        )
    return table


if __name__ == "__main__":
    main(prog_name="python -m bench")
