"""`--token`: what a command shows to a pool that wants tokens."""

from __future__ import annotations

import click


def _checked(context: click.Context, parameter: click.Parameter, token: str) -> str:
    """The token without the line end that a file or a shell adds. It becomes a header."""
    token = token.strip()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise click.BadParameter("a token has visible ASCII characters only", context, parameter)
    return token


token_option = click.option(
    "--token",
    default="",
    envvar="COMP_POOL_TOKEN",
    metavar="TEXT",
    callback=_checked,
    help="An account's token. Others on the machine see options; the environment's COMP_POOL_TOKEN they do not.",
)
