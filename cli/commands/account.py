"""`comp-pool account`: who may submit work to a pool that wants tokens."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

import click

from cli.offline import database_option, json_option, on_store
from resolvers.access import accounts, audit
from resolvers.deleting import accounts as deleting
from resolvers.owners import reviews
from resolvers.runtime import Runtime
from schema.machinery.times import moment
from storage import Account

PAGE = 100


@click.group()
def account() -> None:
    """Make, list, approve and delete accounts, in the pool's store itself."""


@account.command()
@click.argument("name")
@database_option
@json_option
def create(name: str, database: str | None, as_json: bool) -> None:
    """Make an account called NAME. Its key, the slug of the name, is the owner of what it submits."""
    made = on_store(database, lambda runtime: _recorded(runtime, "createAccount", accounts.create(runtime, name)))
    _show(made, as_json=as_json)


@account.command(name="list")
@database_option
@json_option
def list_(database: str | None, as_json: bool) -> None:
    """All accounts, the oldest first."""
    for each in on_store(database, _all):
        _show(each, as_json=as_json)


@account.command()
@click.argument("key")
@database_option
@json_option
def approve(key: str, database: str | None, as_json: bool) -> None:
    """Approve of the account KEY: of its jobs that wait for approval, and of all that it submits from now on."""
    approved = on_store(
        database, lambda runtime: _recorded(runtime, "approveAccount", reviews.approve_account(runtime, key))
    )
    _show(approved, as_json=as_json)


@account.command()
@click.argument("key")
@database_option
@json_option
def delete(key: str, database: str | None, as_json: bool) -> None:
    """Delete the account KEY, with its tokens, jobs and flows. They are gone at once; a server removes what hangs on
    them."""
    deleted = on_store(database, lambda runtime: _recorded(runtime, "deleteAccount", deleting.delete(runtime, key)))
    _show(deleted, as_json=as_json)


async def _recorded(runtime: Runtime, action: str, work: Awaitable[Account]) -> Account:
    """Do something to an account, and note it in the audit log."""
    account = await work
    await audit.record(runtime, audit.COMMAND_LINE, action, f"account {account.key}")
    return account


async def _all(runtime: Runtime) -> list[Account]:
    found: list[Account] = []
    while page := await accounts.page(runtime, first=PAGE, after=found[-1].seq if found else ""):
        found += page
    return found


def _show(account: Account, *, as_json: bool) -> None:
    if as_json:
        said: dict[str, Any] = {"key": account.key, "name": account.name}
        click.echo(json.dumps({**said, "createdAt": moment(account.created_at).isoformat()}))
    else:
        click.echo(f"{account.key}  {account.name}")
