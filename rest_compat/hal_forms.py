"""Forms for what can be done to a resource (HAL-FORMS, https://rwcbook.github.io/hal-forms/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLEnumType, get_named_type

from rest_compat.addresses import Address, Variable
from rest_compat.exchange import Exchange
from rest_compat.inputs import InputField
from rest_compat.operations import Operation, WriteOperation

_INPUT_TYPES = {"Int": "number", "Float": "number", "DateTime": "datetime-local"}


class Forms:
    """The forms of each address: the writes to it, and to what is below it without a further variable."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        writes: dict[str, WriteOperation] = {}
        for operation in operations:
            if isinstance(operation, WriteOperation):
                writes.setdefault(operation.field, operation)
        # The first that fits is the default template, and deleting is nobody's default.
        ordered = sorted(writes.values(), key=lambda write: write.method == "DELETE")
        self._writes = [(write, _template(write)) for write in ordered]

    def of(self, operation: Operation, exchange: Exchange, document: dict[str, Any]) -> dict[str, Any]:
        """The `_templates` of the document that the operation answered: for where it was asked, and for its
        `self`."""
        path = urlsplit(document["_links"]["self"]["href"].removeprefix(exchange.root)).path
        segments = [segment for segment in path.split("/") if segment]
        places: list[tuple[Address, Mapping[str, str]]] = [(operation.address, exchange.keys)]
        addresses = [resource.address for resource in operation.resources if resource.address]
        places += [(a, keys) for a in addresses if (keys := _match(a, segments)) is not None]
        templates: dict[str, Any] = {}
        for write, template in self._writes:
            keys = next((keys for place, keys in places if _belongs(write.address, place)), None)
            if keys is not None:
                target = exchange.root + write.address.template.format_map(keys)
                templates[write.id if templates else "default"] = {**template, "target": target}
        return templates


def _template(write: WriteOperation) -> dict[str, Any]:
    return {
        "title": write.description.partition("\n")[0],
        "method": write.method,
        "contentType": "application/json",
        "properties": [_property(name, member) for name, member in write.input.properties.items()],
    }


def _property(name: str, member: InputField) -> dict[str, Any]:
    type_ = get_named_type(member.field.type)
    shown: dict[str, Any] = {"name": name, "required": member.required}
    if member.field.description:
        shown["prompt"] = member.field.description
    if isinstance(type_, GraphQLEnumType):
        shown["options"] = {"inline": list(type_.values)}
    elif type_.name == "Boolean":
        shown["options"] = {"inline": ["true", "false"]}
    else:
        shown["type"] = _INPUT_TYPES.get(type_.name, "text")
    return shown


def _belongs(write: Address, resource: Address) -> bool:
    same_or_below = write.shape == resource.shape or write.is_below(resource)
    return same_or_below and len(write.variables) == len(resource.variables)


def _match(address: Address, segments: Sequence[str]) -> Mapping[str, str] | None:
    if len(address.segments) != len(segments):
        return None
    keys = {}
    for expected, segment in zip(address.segments, segments, strict=True):
        if isinstance(expected, Variable):
            keys[expected.name] = segment
        elif expected != segment:
            return None
    return keys
