"""The `JSON` scalar: JSON kept as the text it arrived as.

A value is parsed by nobody on its way through: the REST facade hands the body over as a `JsonText`, and
answers paste the text in (`orjson.Fragment`). Only values that came inside a GraphQL document were Python
values once.
"""

import json
from typing import Any

import orjson
import strawberry
from graphql import ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import BadInput
from resolvers.json_text import JsonText, checked, parse, read, well_formed

__all__ = ["SCALARS", "JsonText", "read", "well_formed"]


def _serialize(value: Any) -> orjson.Fragment:
    """What the pool kept was checked on its way in, and what it made, such as a flow's tree, may be larger."""
    return orjson.Fragment(str(value) if isinstance(value, JsonText) else checked(value, field="value"))


def _parse(value: Any) -> JsonText:
    return JsonText(checked(value, field="value"))


def _parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> JsonText:
    """A value written in the document, where numbers have no bounds; variables may stand inside it."""
    known = {name: parse(value) if isinstance(value, JsonText) else value for name, value in (variables or {}).items()}
    try:
        value = value_from_ast_untyped(node, known)
        # Documents are validated before their variables are known: those are `Undefined` then.
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=lambda _: None)
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"value is not a JSON value: {problem}", field="value") from None
    return JsonText(checked(JsonText(text), field="value"))


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
    )
}
"""For `StrawberryConfig(scalar_map=SCALARS)`: fields are annotated `JsonText`."""
