"""`comp-pool serve`: the server."""

from __future__ import annotations

import json
import socket

import click
import uvloop

from cli.settings_options import settings_of, settings_options
from server.app import NoSuchScheduler
from server.logs import set_up_logging
from server.problems import Failure, one_line
from server.processes import ProcessFailed, serve_in_processes
from server.serving import AddressUnavailable, followed_at, listen, url_of
from server.serving import serve as serve_here
from server.settings import Settings
from server.signing_in.settings import UnreadableSecret
from server.stopping import stop_signals
from storage.embedded import EngineFailed
from storage.engines import BadLocation, StorageUnavailable
from storage.engines.schema_version import NewerSchema

REFUSALS = (
    AddressUnavailable,
    BadLocation,
    EngineFailed,
    NewerSchema,
    NoSuchScheduler,
    ProcessFailed,
    StorageUnavailable,
    UnreadableSecret,
)


@click.command()
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def serve(as_json: bool, **given: str | bool | None) -> None:
    """Run the pool until Ctrl-C or SIGTERM, which lets requests under way finish.

    GraphQL (in a browser: a page to try it) is at /graphql, the REST API at /, its description at /openapi.json.
    """
    settings = settings_of(given)
    set_up_logging(settings.log_level)
    try:
        with listen(settings.host, settings.port) as listener:
            uvloop.run(_serve(settings, listener, as_json))
    except REFUSALS as problem:
        raise Failure(one_line(problem)) from problem


async def _serve(settings: Settings, listener: socket.socket, as_json: bool) -> None:
    run = serve_here if settings.workers == 1 else serve_in_processes
    with stop_signals() as stop:
        await run(settings, listener, stop=stop, ready=lambda link: _announce(settings, listener, link, as_json))


def _announce(settings: Settings, listener: socket.socket, link: str, as_json: bool) -> None:
    url, store = url_of(listener), _shown(settings.database)
    operator = followed_at(settings, listener, link) if link else ""
    if as_json:
        said = {"url": url, "database": store, "workers": settings.workers, "auth": "open"}
        if settings.wants_tokens:
            said |= {"auth": "tokens"} | ({"operatorLink": operator} if operator else {})
        click.echo(json.dumps(said))
    else:
        processes = "" if settings.workers == 1 else f", {settings.workers} processes"
        click.echo(f"comp-pool is listening on {url} (store: {store}{processes}). Ctrl-C stops it.")
        if operator:
            click.echo(f"Operator: open {operator} (once, within a day)")


def _shown(database: str) -> str:
    """The store without the password that its URI may hold."""
    scheme, separator, rest = database.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else database
