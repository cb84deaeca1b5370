"""`comp-pool`, the command that holds the others."""

from __future__ import annotations

import click

from server.cli.problems import one_line_errors
from server.cli.serve import serve


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Options can be given as COMP_POOL_* in the environment too: --port as COMP_POOL_PORT.",
)
@click.version_option(package_name="comp-pool", prog_name="comp-pool")
def commands() -> None:
    """Hand out JavaScript computing jobs to a hive of volunteers who need nothing but a web browser."""


for command in (serve,):
    commands.add_command(command)


def main() -> None:
    """Run the command that the command line names."""
    with one_line_errors():
        commands(prog_name="comp-pool")
