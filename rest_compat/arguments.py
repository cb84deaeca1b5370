"""Arguments of a query's field, read from the path and the query string and coerced to their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    assert_leaf_type,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from rest_compat.calls import FieldCall
from rest_compat.errors import BadHalSchema, BadRequest, NoSuchResource
from schema.machinery.errors import PoolError
from schema.machinery.scalars import JsonText, read, well_formed

JSON = "JSON"
"""The scalar whose values are handed over as the text they came as."""


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError(f"{text!r} is not an integer")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _json(text: str) -> JsonText:
    try:
        read(text, name="it")
    except PoolError as problem:
        raise ValueError(problem.message) from None
    return JsonText(well_formed(text))


_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "Int": _integer,
    "Float": float,
    "Boolean": _boolean,
    JSON: _json,
}


def parse_text(type_: GraphQLInputType, texts: Sequence[str]) -> Any:
    """The JSON value that texts of a URL stand for, where a scalar, an enum or a list of them is expected.

    Raises ValueError for a text that can't be one.
    """
    nullable = get_nullable_type(type_)
    if isinstance(nullable, GraphQLList):
        return [parse_text(nullable.of_type, [text]) for text in texts]
    return _FROM_TEXT.get(get_named_type(nullable).name, str)(texts[-1])


def from_text(type_: GraphQLInputType, texts: Sequence[str]) -> Any:
    """As `parse_text`, and coerced to `type_`. Also raises GraphQLError."""
    nullable = get_nullable_type(type_)
    if isinstance(nullable, GraphQLList):
        return [from_text(nullable.of_type, [text]) for text in texts]
    return assert_leaf_type(nullable).coerce_input_value(parse_text(type_, texts))


@dataclass(frozen=True)
class Parameter:
    """An argument of a field, or a member of an input, that is given as text in the query string."""

    json_name: str
    graphql_name: str
    definition: GraphQLArgument | GraphQLInputField

    def parse(self, texts: Sequence[str]) -> Any:
        """The JSON value. Raises BadRequest when the texts can't be one of its type."""
        try:
            return parse_text(self.definition.type, texts)
        except ValueError as error:
            raise BadRequest(f"{self.json_name}: {error}", field=self.json_name) from error

    def read(self, texts: Sequence[str]) -> Any:
        """The coerced value. Raises BadRequest when it isn't of its type."""
        try:
            return from_text(self.definition.type, texts)
        except (ValueError, GraphQLError) as error:
            raise BadRequest(f"{self.json_name}: {error}", field=self.json_name) from error


class QueryArguments:
    """The arguments of a query's field: some in the path, the rest in the query string.

    One that is absent stays absent, so that the resolver's own default applies.
    """

    def __init__(self, call: FieldCall, path: Mapping[str, int]) -> None:
        """
        Args:
            path: for each argument that the path holds, by Python or GraphQL name, the number of its
                variable.

        Raises BadHalSchema when a path variable isn't an argument, or a required one can't be written in a
        URL.
        """
        by_name = {
            spelling: (name, argument)
            for name, argument in call.field.args.items()
            for spelling in (name, argument.extensions["strawberry-definition"].python_name)
        }
        for variable in path:
            if variable not in by_name:
                raise BadHalSchema(
                    f"{call.parent.name}.{call.name}: the path variable {{{variable}}} is not one of its"
                    f" arguments ({', '.join(call.field.args) or 'it has none'})"
                )
        self._path = [(*by_name[variable], index) for variable, index in path.items()]
        held = {name for name, _, _ in self._path}
        self.query = tuple(
            Parameter(argument.extensions["strawberry-definition"].python_name, name, argument)
            for name, argument in call.field.args.items()
            if name not in held and is_leaf_type(get_named_type(argument.type))
        )
        held.update(parameter.graphql_name for parameter in self.query)
        required = {name for name, argument in call.field.args.items() if is_required(argument)}
        if lost := required - held:
            raise BadHalSchema(f"{call.parent.name}.{call.name}: {', '.join(lost)} can't be given in a URL")

    def read(self, values: Sequence[str], query: Mapping[str, list[str]]) -> dict[str, Any]:
        """The coerced arguments.

        Raises NoSuchResource for a path that can't be one of ours, BadRequest for a bad or missing parameter.
        """
        read: dict[str, Any] = {}
        for name, argument, index in self._path:
            try:
                read[name] = from_text(argument.type, [values[index]])
            except (ValueError, GraphQLError) as error:
                raise NoSuchResource from error
        for parameter in self.query:
            if parameter.json_name in query:
                read[parameter.graphql_name] = parameter.read(query[parameter.json_name])
            elif is_required(parameter.definition):
                raise BadRequest(f"{parameter.json_name} is required.", field=parameter.json_name)
        return read


def is_required(definition: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(definition.type, GraphQLNonNull) and definition.default_value is Undefined
