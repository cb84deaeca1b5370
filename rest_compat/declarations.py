"""The routes that a schema declares: its `@hal` directives, with their addresses worked out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from rest_compat.addresses import Address, Shape, Variable
from rest_compat.calls import definition
from rest_compat.errors import BadHalSchema
from schema.machinery.directives import Hal, HalAlternate, HalMethod, HalRole

Directive = TypeVar("Directive")


def directives(field: GraphQLField, kind: type[Directive]) -> list[Directive]:
    """The field's directives of one kind."""
    return [found for found in definition(field).directives if isinstance(found, kind)]


@dataclass(frozen=True)
class Declaration:
    """A field with one `@hal` directive of its own."""

    parent: GraphQLObjectType
    name: str
    field: GraphQLField
    hal: Hal
    is_root: bool
    is_mutation: bool

    @property
    def where(self) -> str:
        return f"{self.parent.name}.{self.name}"

    @property
    def method(self) -> HalMethod:
        return self.hal.method or (HalMethod.POST if self.is_mutation else HalMethod.GET)

    @property
    def role(self) -> HalRole:
        return self.hal.role or HalRole.ANSWER

    @property
    def type(self) -> GraphQLObjectType:
        """The object type that the field returns, alone or in a list."""
        named = get_named_type(self.field.type)
        if not isinstance(named, GraphQLObjectType):
            raise BadHalSchema(f"{self.where}: a route serves object types, not {named}")
        return named

    @property
    def is_list(self) -> bool:
        return is_list_type(get_nullable_type(self.field.type))


@dataclass(frozen=True)
class Route:
    """One path of a declaration.

    `own` says for each variable of the declaration's own part of the path the number it has in the whole
    path.
    """

    declaration: Declaration
    address: Address
    own: dict[str, int]


class Declarations:
    """All that a schema declares.

    Attributes:
        routes: every path of every declaration.
        homes: by name of the type, the route that is its address.
        alternates: by name of the type, its fields with `@halAlternate`.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        """Raises BadHalSchema for declarations that contradict each other."""
        self._schema = schema
        self.alternates: dict[str, list[tuple[str, GraphQLField, HalAlternate]]] = defaultdict(list)
        found = list(self._find())
        self._home_declarations = self._choose_homes(found)
        self._homes: dict[str, Route] = {}
        for declaration in self._home_declarations.values():
            self._home(declaration.type.name, ())
        routes = [route for declaration in found for route in self._routes(declaration)]
        names = self._names(routes)
        self.routes = [Route(r.declaration, r.address.named(names), r.own) for r in routes]
        self.homes = {name: Route(r.declaration, r.address.named(names), r.own) for name, r in self._homes.items()}

    def parent_of(self, route: Route) -> str | None:
        """The name of the type whose resource is the route's parent."""
        if not route.declaration.is_root:
            return route.declaration.parent.name
        above = {
            name: home.address
            for name, home in self.homes.items()
            if route.address.is_below(home.address)
            or (route.declaration.is_mutation and route.address.shape == home.address.shape)
        }
        return max(above, key=lambda name: len(above[name].segments), default=None)

    def _find(self) -> Iterator[Declaration]:
        for type_ in self._schema.type_map.values():
            if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
                continue
            is_mutation = type_ is self._schema.mutation_type
            is_root = is_mutation or type_ is self._schema.query_type
            for name, field in type_.fields.items():
                self.alternates[type_.name] += [(name, field, a) for a in directives(field, HalAlternate)]
                for hal in directives(field, Hal):
                    yield Declaration(type_, name, field, hal, is_root, is_mutation)

    @staticmethod
    def _choose_homes(found: list[Declaration]) -> dict[str, Declaration]:
        homes: dict[str, Declaration] = {}
        for declaration in found:
            if declaration.role is not HalRole.SELF:
                continue
            if declaration.method is not HalMethod.GET or declaration.is_list:
                raise BadHalSchema(f"{declaration.where}: the address of a type is a GET of one of its values")
            if first := homes.get(declaration.type.name):
                raise BadHalSchema(
                    f"{declaration.where}: {declaration.type.name} has its address at {first.where} already"
                )
            homes[declaration.type.name] = declaration
        return homes

    def _home(self, type_name: str, visiting: tuple[str, ...]) -> Route:
        if type_name in visiting:
            raise BadHalSchema(f"the addresses of {' and '.join(visiting)} are relative to each other")
        if type_name not in self._homes:
            declaration = self._home_declarations[type_name]
            self._homes[type_name] = next(self._routes(declaration, (*visiting, type_name)))
        return self._homes[type_name]

    def _routes(self, declaration: Declaration, visiting: tuple[str, ...] = ()) -> Iterator[Route]:
        base = Address()
        if not declaration.is_root:
            if declaration.parent.name not in self._home_declarations:
                raise BadHalSchema(
                    f"{declaration.where}: its path is relative to {declaration.parent.name}, but no field"
                    " with the role SELF says where that type has its address"
                )
            base = self._home(declaration.parent.name, visiting).address
        if not declaration.hal.path:
            raise BadHalSchema(f"{declaration.where}: a route needs a path")
        for path in declaration.hal.path:
            if path.startswith("/") != declaration.is_root:
                kind = "absolute (`/...`)" if declaration.is_root else "relative to its type's address"
                raise BadHalSchema(f"{declaration.where}: the path {path!r} must be {kind}")
            try:
                own = Address.parse(path)
            except ValueError as error:
                raise BadHalSchema(f"{declaration.where}: {error}") from error
            if len(set(own.variables)) < len(own.variables):
                raise BadHalSchema(f"{declaration.where}: {path!r} names a variable twice")
            offset = len(base.variables)
            yield Route(declaration, base / own, {name: offset + index for index, name in enumerate(own.variables)})

    def _names(self, routes: list[Route]) -> dict[Shape, str]:
        """One name for each variable, whichever route it is written in: that of the type whose address it
        ends, such as `variable_id`, or else the first that is found."""
        names: dict[Shape, str] = {}
        for type_name, home in self._homes.items():
            inherited = len(home.address.variables) - len(home.own)
            for variable, depth in _depths(home.address)[inherited:]:
                names[home.address.shape[:depth]] = f"{snake_case(type_name)}_{variable}"
        for route in sorted(routes, key=lambda route: route.declaration.is_mutation):
            for variable, depth in _depths(route.address):
                names.setdefault(route.address.shape[:depth], snake_case(variable.replace(".", "_")))
        return names


def _depths(address: Address) -> list[tuple[str, int]]:
    """The variables of an address, each with the length of the path that ends in it."""
    return [(s.name, depth) for depth, s in enumerate(address.segments, 1) if isinstance(s, Variable)]


def snake_case(name: str) -> str:
    """The name, or dotted path of names, as the facade's JSON spells it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
