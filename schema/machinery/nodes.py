"""Relay's global object identification (https://relay.dev/graphql/objectidentification.htm)."""

from __future__ import annotations

import strawberry
from strawberry.relay.utils import from_base64, to_base64

from resolvers.errors import BadInput


@strawberry.interface(description="Anything that can be fetched again by its global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque global id: give it to `Query.node`.")


def global_id(kind: str, key: str) -> strawberry.ID:
    return strawberry.ID(to_base64(kind, key))


def key_or_reference(value: str, kind: str) -> str:
    """The key in a global id of this kind; anything else as it is."""
    try:
        found, key = from_base64(value)
    except ValueError:
        return value
    return key if found == kind else value


def key_of(value: str, kind: str) -> str:
    """The key in a global id of this kind, or empty for anything else: a key of nothing."""
    try:
        found, key = from_base64(value)
    except ValueError:
        return ""
    return key if found == kind else ""


def split_id(value: str, *, field: str = "id") -> tuple[str, str]:
    """The kind and the key in a global id. Raises BadInput for what is none."""
    try:
        kind, key = from_base64(value)
    except ValueError:
        raise BadInput(f"{value[:100]!r} is not an id of this API", field=field) from None
    return kind, key
