"""What relations mean: one thing each, and of those with a prefix a page says what (CURIEs of HAL, section 8.2)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from rest_compat.errors import BadHalSchema
from rest_compat.links import DOCUMENTATION
from rest_compat.operations import Operation, ReadOperation
from rest_compat.resources import Collection


def check_meanings(operations: Iterable[Operation]) -> None:
    """Raises BadHalSchema for a relation that would be one link here, and the members of a collection there."""
    operations = tuple(operations)
    links = {rel: operation for operation in operations for rel in operation.relations}
    for operation in operations:
        shown = operation.shown if isinstance(operation, ReadOperation) else None
        if isinstance(shown, Collection) and (linked := links.get(shown.members)):
            raise BadHalSchema(
                f"{operation.address.template}: the relation {shown.members!r} of its members is that of the link to "
                f"{linked.address.template}"
            )


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
