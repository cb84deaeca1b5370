"""`comp-pool schema`: the GraphQL schema as text."""

from __future__ import annotations

import click

from schema.schema import sdl


@click.command()
def schema() -> None:
    """Print the GraphQL schema (SDL), with the directives that declare the REST routes."""
    click.echo(sdl(), nl=False)
