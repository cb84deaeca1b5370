"""`comp-pool flow`: submit, watch and steer flows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import click

from cli.commands.load import DEFAULT_URL
from cli.flow_watching import watch_to_its_end
from cli.token_option import token_option
from comp_pool import NotAPool, PoolClient, PoolRefused, PoolUnavailable
from comp_pool.files import FileProblem, read_text, shown
from comp_pool.flows import read_flow
from schema.types.flow_states import FlowState
from server.problems import Failure, lines, one_line

ANSWER = "{ flow { key name state reason result jobCount levelCount } userErrors { field message code } }"
SUBMIT = f"mutation ($input: SubmitFlowInput!) {{ submitFlow(input: $input) {ANSWER} }}"
LIST = """
query ($state: FlowState, $owner: String) {
  flows(first: 50, state: $state, owner: $owner) {
    nodes { key name owner state createdAt progress { total fraction } }
  }
}
"""

url_option = click.option(
    "--url", default=DEFAULT_URL, show_default=True, envvar="COMP_POOL_URL", help="The pool's address."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, one line an update.")


@click.group()
def flow() -> None:
    """Submit trees of jobs, watch them, and steer them."""


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except PoolRefused as refused:
        raise Failure(lines(refused, refused.others)) from refused
    except (NotAPool, PoolUnavailable) as problem:
        raise Failure(one_line(problem)) from problem


@flow.command()
@click.argument("file")
@url_option
@token_option
@click.option("--watch", is_flag=True, help="Watch it until it ends, as `flow watch` does.")
@click.option("--key", "idempotency_key", metavar="TEXT", help="Submitting again with this key answers the same flow.")
@json_option
def submit(file: str, url: str, token: str, watch: bool, idempotency_key: str | None, as_json: bool) -> None:
    """Submit the flow in FILE (JSON or YAML; - is standard input).

    \b
    name: sum of squares
    dependent:                      # runs before, in parallel
      jobs:
        - {job: square, variable: one}
        - {job: square, variable: two, as: second}
    jobs:
      - {job: sum, if: "(variable, context) => Object.keys(context).length > 1"}
    """
    try:
        given = read_flow(file, read_text(file))
    except FileProblem as problem:
        raise Failure(f"{shown(file)} {problem}") from problem
    if idempotency_key:
        given["idempotencyKey"] = idempotency_key
    stored = _run(_submit(url, token, given))
    if as_json:
        click.echo(json.dumps(stored))
    else:
        click.echo(f"flow {stored['key']} (jobs: {stored['jobCount']:,}, levels: {stored['levelCount']:,})")
    if watch:
        watch_to_its_end(url, token, stored["key"], as_json=as_json)


async def _submit(url: str, token: str, given: dict[str, Any]) -> dict[str, Any]:
    async with PoolClient(url, token=token) as client:
        stored: dict[str, Any] = (await client.mutate(SUBMIT, **given))["flow"]
        return stored


@flow.command()
@click.argument("key")
@url_option
@token_option
@json_option
def watch(key: str, url: str, token: str, as_json: bool) -> None:
    """Watch the flow KEY until it ends: its levels with progress bars.

    Exit code 1 unless it completes, 3 where the pool is lost for a minute: the flow may go on.
    """
    watch_to_its_end(url, token, key, as_json=as_json)


@flow.command(name="list")
@url_option
@token_option
@click.option("--state", type=click.Choice(list(FlowState.__members__), case_sensitive=False), help="Only these.")
@click.option("--owner", help="Only this owner's flows.")
@json_option
def list_(url: str, token: str, state: str | None, owner: str | None, as_json: bool) -> None:
    """The 50 newest flows."""
    found = _run(_list(url, token, state, owner))
    for each in found:
        if as_json:
            click.echo(json.dumps(each))
        else:
            fraction = f"{each['progress']['fraction']:.0%} of {each['progress']['total']:,}"
            click.echo(f"{each['key']}  {each['state']:<10} {fraction:<16} {each['name'] or ''}")


async def _list(url: str, token: str, state: str | None, owner: str | None) -> list[dict[str, Any]]:
    async with PoolClient(url, token=token) as client:
        found: list[dict[str, Any]] = (await client.call(LIST, state=state, owner=owner))["flows"]["nodes"]
        return found


def _steering(name: str, what: str) -> None:
    """Add the command that carries out the mutation `nameFlow` on a flow."""
    document = f"mutation ($input: {name.title()}FlowInput!) {{ {name}Flow(input: $input) {ANSWER} }}"

    async def steer(url: str, token: str, key: str) -> dict[str, Any]:
        async with PoolClient(url, token=token) as client:
            stored: dict[str, Any] = (await client.mutate(document, flow=key))["flow"]
            return stored

    @flow.command(name=name, help=what)
    @click.argument("key")
    @url_option
    @token_option
    @json_option
    def command(key: str, url: str, token: str, as_json: bool) -> None:
        stored = _run(steer(url, token, key))
        click.echo(json.dumps(stored) if as_json else f"flow {stored['key']}: {stored['state']}")


_steering("cancel", "End the flow KEY. What has completed stays.")
_steering("pause", "Hand out nothing of the flow KEY for a while.")
_steering("resume", "Have the paused flow KEY go on.")
_steering("retry", "Have the failed or cancelled flow KEY go on from what did not complete.")
