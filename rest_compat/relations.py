"""Pages that explain the relations with a prefix (CURIEs of HAL, section 8.2)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from rest_compat.links import DOCUMENTATION
from rest_compat.operations import Operation


def relation_pages(operations: Iterable[Operation]) -> dict[str, tuple[str, bytes]]:
    """For the path of each relation's page its media type and content."""
    explained: dict[str, list[Operation]] = {}
    for operation in operations:
        for rel in operation.relations:
            if ":" in rel:
                explained.setdefault(rel, []).append(operation)
    return {
        f"{DOCUMENTATION}/{rel.replace(':', '/', 1)}": (
            "text/html; charset=utf-8",
            _page(rel, found).encode(),
        )
        for rel, found in explained.items()
    }


def _page(rel: str, operations: list[Operation]) -> str:
    routes = "".join(
        f"<dt><code>{escape(operation.method)} {escape(operation.address.template)}</code></dt>"
        f"<dd>{escape(operation.description)}</dd>"
        for operation in operations
    )
    name = escape(rel)
    return f'<!doctype html><html lang="en"><title>{name}</title><h1>{name}</h1><dl>{routes}</dl></html>'
