"""JSON Schemas of what the facade reads and answers, from the GraphQL types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLType,
    assert_leaf_type,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
)

from rest_compat.arguments import JSON
from rest_compat.inputs import InputField, InputReader
from rest_compat.resources import Resource
from rest_compat.serialiser import TypeWriter, Writers

_SCALARS: dict[str, dict[str, Any]] = {
    "String": {"type": "string"},
    "ID": {"type": "string"},
    "Int": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
    "UUID": {"type": "string", "format": "uuid"},
    JSON: {},
}

_LINK = {
    "type": "object",
    "required": ["href"],
    "properties": {
        "href": {"type": "string"},
        "name": {"type": "string"},
        "title": {"type": "string"},
        "type": {"type": "string"},
        "templated": {"const": True},
    },
}
_LINKS = {
    "type": "object",
    "description": "Links by relation (HAL).",
    "required": ["self"],
    "properties": {"self": {"$ref": "#/components/schemas/Link"}},
    "additionalProperties": {
        "anyOf": [
            {"$ref": "#/components/schemas/Link"},
            {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
        ]
    },
}
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with the code that GraphQL has for it.",
    "required": ["type", "title", "status", "detail", "instance", "code", "message"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


class JsonSchemas:
    """The schemas of an OpenAPI document by name, each written when it is first referred to."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._writers = Writers(schema)
        self._inputs = InputReader()
        self.components: dict[str, Any] = {"Link": _LINK, "Links": _LINKS, "Problem": _PROBLEM}

    def text(self, type_: GraphQLInputType) -> dict[str, Any]:
        """The schema of a parameter: null can't be written in a URL."""
        nullable = get_nullable_type(type_)
        if isinstance(nullable, GraphQLList):
            return {"type": "array", "items": self.text(nullable.of_type)}
        return self.input(GraphQLNonNull(assert_leaf_type(nullable)))

    def members(self, type_: GraphQLInputObjectType, members: Mapping[str, InputField]) -> dict[str, Any]:
        """The schema of an object with some of an input's members, by the names that the facade has for them."""
        return {
            "type": "object",
            "description": type_.description or "",
            "properties": {
                name: _described(self.input(member.field.type), member.field.description)
                for name, member in members.items()
            },
            "required": [name for name, member in members.items() if member.required],
            "additionalProperties": False,
        }

    def input(self, type_: GraphQLInputType) -> dict[str, Any]:
        """The schema of a value that a body has for this type."""
        if not isinstance(type_, GraphQLNonNull):
            return _or_null(self.input(GraphQLNonNull(type_)))
        nullable = type_.of_type
        if isinstance(nullable, GraphQLList):
            item = self.input(nullable.of_type)
            return {"anyOf": [{"type": "array", "items": item}, item]}  # a list takes one for a list of one
        if isinstance(nullable, GraphQLInputObjectType):
            if nullable.name not in self.components:
                self.components[nullable.name] = {}
                shown = {n: m for n, m in self._inputs.fields(nullable).items() if not m.hidden}
                self.components[nullable.name] = self.members(nullable, shown)
            return {"$ref": f"#/components/schemas/{nullable.name}"}
        return _leaf(nullable)

    def ref(self, resource: Resource) -> dict[str, Any]:
        """A reference to the schema of a resource."""
        if resource.type_name not in self.components:
            self.components[resource.type_name] = {}
            self.components[resource.type_name] = self.resource(resource)
        return {"$ref": f"#/components/schemas/{resource.type_name}"}

    def resource(self, resource: Resource) -> dict[str, Any]:
        """The schema of a resource with its links."""
        described = self._object(resource.writer, self._schema.type_map[resource.type_name].description)
        described["properties"] = {
            "_links": {"$ref": "#/components/schemas/Links"},
            **{name: {"const": value} for name, value in (resource.constants or {}).items()},
            **described["properties"],
        }
        described["required"] = list(described["properties"])
        return described

    def _object(self, writer: TypeWriter, description: str | None) -> dict[str, Any]:
        properties = self.properties(writer)
        return {
            "type": "object",
            "description": description or "",
            "properties": properties,
            "required": list(properties),
        }

    def properties(self, writer: TypeWriter) -> dict[str, Any]:
        """The schemas of the properties that a writer writes, by name."""
        return {
            shown.name: _described(self._output(shown.field.type), shown.field.description)
            for shown in writer.properties
        }

    def _output(self, type_: GraphQLOutputType) -> dict[str, Any]:
        if not isinstance(type_, GraphQLNonNull):
            return _or_null(self._output(GraphQLNonNull(type_)))
        nullable = type_.of_type
        if isinstance(nullable, GraphQLList):
            return {"type": "array", "items": self._output(nullable.of_type)}
        if isinstance(nullable, GraphQLObjectType):
            return self._nested(nullable)
        if is_abstract_type(nullable):
            return {"anyOf": [self._nested(possible) for possible in self._schema.get_possible_types(nullable)]}
        return _leaf(get_named_type(nullable))

    def _nested(self, type_: GraphQLObjectType) -> dict[str, Any]:
        """A value inside of a resource: without links of its own."""
        name = f"{type_.name}Value"
        if name not in self.components:
            self.components[name] = {}
            self.components[name] = self._object(self._writers.of(type_), type_.description)
        return {"$ref": f"#/components/schemas/{name}"}


def _leaf(type_: GraphQLType) -> dict[str, Any]:
    if isinstance(type_, GraphQLEnumType):
        return {"type": "string", "enum": list(type_.values)}
    return dict(_SCALARS.get(get_named_type(type_).name, {}))


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def _described(schema: dict[str, Any], description: str | None) -> dict[str, Any]:
    return {**schema, "description": description} if description else schema
