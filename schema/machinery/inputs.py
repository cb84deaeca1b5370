"""Input objects are made while variables are coerced, which is done in a thread where there are many.

Strawberry would make them later, on the event loop, when the field is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryObjectDefinition


def make_inputs_early(schema: strawberry.Schema) -> None:
    """Have graphql-core's coercion make a schema's input objects, and Strawberry take them as they are."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition: StrawberryObjectDefinition = type_.extensions["strawberry-definition"]
            definition.from_input = _as_it_is
            type_.out_type = _maker(schema, definition)  # type: ignore[assignment]


def _as_it_is(_: type, value: Mapping[str, Any], __: InputContext) -> Any:
    return value


def _maker(schema: strawberry.Schema, definition: StrawberryObjectDefinition) -> Callable[[Mapping[str, Any]], Any]:
    names = {schema.config.name_converter.from_field(field): field.python_name for field in definition.fields}
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is field.default_factory  # MISSING, both
    }
    origin = definition.origin

    def make(coerced: Mapping[str, Any]) -> Any:
        return origin(**absent | {names[name]: value for name, value in coerced.items()})

    return make
