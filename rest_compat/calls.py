"""Calls of the schema's fields outside of a GraphQL execution."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from graphql.pyutils import Path
from graphql.pyutils import is_awaitable as graphql_is_awaitable
from strawberry.types.field import StrawberryField

from schema.machinery.directives import HalField


def definition(field: GraphQLField) -> StrawberryField:
    """What Strawberry knows of a field: its directives and Python names, which introspection doesn't show."""
    return cast("StrawberryField", field.extensions["strawberry-definition"])


def hal_field(field: StrawberryField) -> HalField:
    """The field's `@halField`, or a directive that says nothing."""
    return next((found for found in field.directives if isinstance(found, HalField)), HalField())


@dataclass(frozen=True)
class FieldCall:
    """A field of the schema that can be resolved by itself.

    The GraphQL field's own `resolve` is called, so permissions, field extensions and the conversion of inputs
    stay what they are in a GraphQL operation. What is missing is the operation: a resolver can't read its
    selection.
    """

    schema: GraphQLSchema
    parent: GraphQLObjectType
    name: str
    field: GraphQLField

    def start(self, source: object, context: object, arguments: dict[str, Any]) -> Any:
        """The field's value, or an awaitable of it.

        `arguments` are coerced values under their GraphQL names. Raises what the resolver raises.
        """
        info: GraphQLResolveInfo[Any] = GraphQLResolveInfo(
            field_name=self.name,
            field_nodes=[],
            return_type=self.field.type,
            parent_type=self.parent,
            path=Path(None, self.name, self.parent.name),
            schema=self.schema,
            fragments={},
            root_value=None,
            operation=None,  # type: ignore[arg-type]
            variable_values=None,  # type: ignore[arg-type]
            context=context,
            is_awaitable=graphql_is_awaitable,
            abort_signal=None,
            async_helpers=None,  # type: ignore[arg-type]
        )
        resolve = self.field.resolve
        assert resolve is not None, f"Strawberry gave {self.parent.name}.{self.name} no resolver"
        return resolve(source, info, **arguments)

    async def value(self, source: object, context: object, arguments: dict[str, Any]) -> Any:
        """As `start`, awaited where need be."""
        found = self.start(source, context, arguments)
        return await found if inspect.isawaitable(found) else found
