"""The `JSON` scalar: JSON kept as the text it arrived as.

A value is parsed by nobody on its way through: the REST facade hands the body over as a `JsonText`, and
answers paste the text in (`orjson.Fragment`). Only values that came inside a GraphQL document were Python
values once.
"""

from typing import Any

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from resolvers.json_text import JsonText, checked

__all__ = ["SCALARS", "JsonText"]


def _serialize(value: Any) -> orjson.Fragment:
    return orjson.Fragment(checked(value, field="value"))


def _parse(value: Any) -> JsonText:
    return JsonText(checked(value, field="value"))


SCALARS: dict[object, ScalarDefinition] = {
    JsonText: strawberry.scalar(
        name="JSON", description="Any JSON value (RFC 8259).", serialize=_serialize, parse_value=_parse
    )
}
"""For `StrawberryConfig(scalar_map=SCALARS)`: fields are annotated `JsonText`."""
