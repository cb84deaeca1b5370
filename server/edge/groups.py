"""The address group that a request comes from."""

from __future__ import annotations

from starlette.types import Scope

from resolvers.addresses import group_of


def group_in(scope: Scope) -> str:
    """The group of the client's address; empty where the server knows no address, as behind a UNIX socket."""
    client = scope.get("client")
    return group_of(client[0]) if client else ""
