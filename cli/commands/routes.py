"""`comp-pool routes`: what the REST facade serves, and by which field of the schema."""

from __future__ import annotations

import json
from typing import Any

import click

from rest_compat import Facade, Operation
from schema.machinery.context import Context
from schema.schema import schema

HEADINGS = ["METHOD", "PATH", "OPERATION", "GRAPHQL FIELD", "CONTRACT"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array, with the contract lines that a route keeps.")
def routes(as_json: bool) -> None:
    """List the routes of the REST API: method, path, operation and GraphQL field.

    The contract lines are those of docs/legacy-contract.md: what clients of the original comp-pool rely on.
    """
    described = [_described(each) for each in Facade(schema, _never_asked).operations]
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    rows = [[*each.values()] for each in described]
    lines = [HEADINGS, *([*map(str, row[:-1]), " ".join(map(str, row[-1]))] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


async def _never_asked(_: object) -> Context:
    raise RuntimeError("the facade was compiled to be listed, not to serve")


def _described(operation: Operation) -> dict[str, Any]:
    return {
        "method": operation.method,
        "path": operation.address.template,
        "operation": operation.id,
        "field": operation.field,
        "contract": list(operation.contract),
    }
