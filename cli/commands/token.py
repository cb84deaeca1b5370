"""`comp-pool token`: what an account's programs show to be known by."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click

from cli.offline import database_option, json_option, on_store
from resolvers.access import audit, tokens
from resolvers.access.principals import EVERYBODY, Scope
from resolvers.access.tokens import NewToken
from resolvers.runtime import Runtime
from schema.machinery.times import moment_or_none
from storage import Token

PAGE = 100


@click.group()
def token() -> None:
    """Make, list and revoke tokens, in the pool's store itself."""


@token.command()
@click.argument("account")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([each.value for each in Scope]),
    default=(Scope.SUBMIT.value, Scope.READ.value),
    show_default=True,
    help="What it is good for; may be repeated.",
)
@click.option("--name", default="command line", show_default=True, metavar="TEXT", help="What it is for.")
@click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), help="It ends after so many days.")
@database_option
@json_option
def create(
    account: str, scopes: tuple[str, ...], name: str, days: float | None, database: str | None, as_json: bool
) -> None:
    """Make a token of ACCOUNT (its key) and show it, once: the pool keeps no more than its SHA-256."""

    async def issue(runtime: Runtime) -> tuple[Token, str]:
        expires_at = runtime.now() + round(timedelta(days=days) / timedelta(milliseconds=1)) if days else 0
        new = NewToken(name, [Scope(each) for each in scopes], expires_at)
        token, text = await tokens.issue(runtime, account, new)
        await audit.record(runtime, audit.COMMAND_LINE, "createToken", f"token {token.key}")
        return token, text

    made, text = on_store(database, issue)
    click.echo(json.dumps({**_said(made), "text": text}) if as_json else text)


@token.command(name="list")
@click.argument("account", default="")
@database_option
@json_option
def list_(account: str, database: str | None, as_json: bool) -> None:
    """The tokens of ACCOUNT (its key; left out: of all), the newest first."""

    async def all_(runtime: Runtime) -> list[Token]:
        found: list[Token] = []
        while page := await tokens.page(runtime, account, first=PAGE, after=found[-1].seq if found else ""):
            found += page
        return found

    for each in on_store(database, all_):
        if as_json:
            click.echo(json.dumps(_said(each)))
        else:
            click.echo(f"{each.key}  {each.account:<20} {','.join(each.scopes):<20} {each.name}{_ended(each)}")


@token.command()
@click.argument("token")
@database_option
@json_option
def revoke(token: str, database: str | None, as_json: bool) -> None:
    """End the token TOKEN (its key, or its text). A running pool sees that within a second."""

    async def end(runtime: Runtime) -> Token:
        ended = await tokens.revoke(runtime, EVERYBODY, token)
        await audit.record(runtime, audit.COMMAND_LINE, "revokeToken", f"token {ended.key}")
        return ended

    ended = on_store(database, end)
    click.echo(json.dumps(_said(ended)) if as_json else f"token {ended.key} of {ended.account}{_ended(ended)}")


def _ended(token: Token) -> str:
    if token.revoked_at:
        return " (revoked)"
    ends = moment_or_none(token.expires_at)
    return f" (until {ends:%Y-%m-%d %H:%M} UTC)" if ends else ""


def _said(token: Token) -> dict[str, Any]:
    times = {
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "usedAt": token.used_at,
        "revokedAt": token.revoked_at,
    }
    moments = {name: moment_or_none(at) for name, at in times.items()}
    return {
        "key": token.key,
        "account": token.account,
        "name": token.name,
        "scopes": token.scopes,
        **{name: at and at.isoformat() for name, at in moments.items()},
    }
