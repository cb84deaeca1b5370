"""The `JSON` scalar: JSON kept as the text it arrived as.

A value is parsed by nobody on its way through: the REST facade hands the body over as a `JsonText`, and
answers paste the text in (`orjson.Fragment`). Only values that came inside a GraphQL document were Python
values once.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import strawberry
from graphql import FloatValueNode, IntValueNode, ValueNode, Visitor, value_from_ast_untyped, visit
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import BadInput
from resolvers.json_text import JsonText, checked, parse, read, well_formed, written
from schema.machinery import answer_size

__all__ = ["SCALARS", "JsonText", "read", "well_formed"]


def _serialize(value: Any) -> orjson.Fragment:
    """What the pool kept was checked on its way in, and what it made, such as a flow's tree, may be larger."""
    text = str(value) if isinstance(value, JsonText) else checked(value, field="value")
    answer_size.take(len(text))
    return orjson.Fragment(text)


def _parse(value: Any) -> JsonText:
    """Of any length and depth: who takes the value in checks it, and names the member of the input that it is."""
    return value if isinstance(value, JsonText) else written(value, field="value")


class _NegativeZeros(Visitor):
    """Writes the integer `-0` as the float that it is in JavaScript."""

    def enter_int_value(self, node: IntValueNode, *_: Any) -> FloatValueNode | None:
        return FloatValueNode(value="-0.0", loc=node.loc) if node.value == "-0" else None


def _parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> JsonText:
    """A value written in the document, where numbers have no bounds; variables may stand inside it."""
    known = {name: parse(value) if isinstance(value, JsonText) else value for name, value in (variables or {}).items()}
    try:
        value = value_from_ast_untyped(visit(node, _NegativeZeros()), known)
        # Documents are validated before their variables are known: those are `Undefined` then.
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=lambda _: None)
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"value is not a JSON value: {problem}", field="value") from None
    return JsonText(text)


def given(value: JsonText | None, *, field: str) -> JsonText:
    """An input that may be null and whose default is `UNSET`. Raises BadInput where it was left out."""
    if value is strawberry.UNSET:
        raise BadInput(f"{field} is missing: it takes any JSON value, null too", field=field)
    return JsonText("null") if value is None else value


SCALARS: dict[object, ScalarDefinition] = {
    JsonText: strawberry.scalar(
        name="JSON",
        description="Any JSON value (RFC 8259). A lone surrogate in a string is U+FFFD; `-0` is negative zero.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_serialize,
        parse_value=_parse,
        parse_literal=_parse_literal,
    ),
    datetime: replace(
        DateTimeDefinition,
        description="A moment (RFC 3339), such as `2026-11-27T12:00:00+00:00`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
}
"""For `StrawberryConfig(scalar_map=SCALARS)`: fields are annotated `JsonText`."""
