"""`comp-pool`, the command that holds the others."""

from __future__ import annotations

import gc
from importlib import import_module

import click

from server.problems import one_line_errors

COMMANDS = ("serve", "work", "load", "flow", "account", "token", "demo", "schema", "routes")


class LazyGroup(click.Group):
    """Imports a command's module, `cli.commands.NAME`, when it is needed: a volunteer needs no web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # What modules are made of stays: a collector that looks at it again and again takes an eighth of the time.
        gc.disable()
        command: click.Command = getattr(import_module(f"cli.commands.{cmd_name}"), cmd_name)
        gc.freeze()
        gc.enable()
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A server's settings are taken from the environment too: --port from COMP_POOL_PORT.",
)
@click.version_option(package_name="comp-pool", prog_name="comp-pool")
def commands() -> None:
    """Hand out JavaScript computing jobs to a hive of volunteers who need nothing but a web browser."""


def main() -> None:
    """Run the command that the command line names."""
    with one_line_errors():
        commands(prog_name="comp-pool")
