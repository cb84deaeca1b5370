"""How values of the schema's types are written as JSON: compiled once per type, at start-up."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

import orjson
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
)

from rest_compat.arguments import is_required
from rest_compat.calls import FieldCall, definition
from rest_compat.errors import BadHalSchema
from schema.machinery.directives import HalField
from schema.machinery.scalars import JsonText

RESERVED = re.compile(r"job|compute|saveResult|realizedValue|actual|setJob|then|get[A-Z].*")
"""Properties that would break the published JavaScript client at the top level of a resource: names of its
own
methods, and `then`, which makes a promise of whatever has it."""

_OWN = {"_links", "_embedded", "_templates", "_id", "variable", "for_jobs", "warningMessage"}
_AS_THEY_ARE = {"String", "Int", "Float", "Boolean", "ID"}

Writer = Callable[[Any, "Writing"], Any]
"""From a value to what orjson can dump."""


@dataclass
class Writing:
    """The writing of one answer: the context for resolvers, and what these have not delivered yet."""

    context: object
    _pending: list[tuple[Awaitable[Any], Callable[[Any], None]]] = field(default_factory=list)

    def later(self, value: Awaitable[Any], put: Callable[[Any], None]) -> None:
        self._pending.append((value, put))

    async def finish(self) -> None:
        """Waits for every value that is still to come, and for those that they bring with them."""
        while self._pending:
            value, put = self._pending.pop()
            put(await value)


@dataclass(frozen=True)
class Property:
    """One property of a type's JSON: a plain attribute of its instances, or a field to be resolved."""

    name: str
    field: GraphQLField
    attribute: str
    call: FieldCall | None
    write: Writer | None
    hoist: bool
    link: str | None


class TypeWriter:
    """Writes the values of one object type."""

    def __init__(self, properties: tuple[Property, ...] = ()) -> None:
        self.take(properties)

    def take(self, properties: tuple[Property, ...]) -> None:
        """Takes the properties, once: a type that contains itself needs its writer before it has them."""
        self.properties = properties
        self._plain = [(p.name, attrgetter(p.attribute), p.write) for p in properties if p.call is None]
        self._resolved = [(p.name, p.call, p.write) for p in properties if p.call is not None]
        self._hoisted = [attrgetter(p.attribute) for p in properties if p.hoist]
        self._taken = _OWN | {p.name for p in properties}

    def only(self, names: list[str]) -> TypeWriter:
        """A writer of no more than these properties, nothing hoisted.

        Raises LookupError for a name that isn't there.
        """
        known = {p.name: p for p in self.properties}
        if missing := [name for name in names if name not in known]:
            raise LookupError(f"no property {', '.join(missing)}; there are {', '.join(known)}")
        writer = TypeWriter(tuple(known[name] for name in names))
        writer._hoisted = []
        return writer

    def write(self, value: Any, writing: Writing) -> dict[str, Any]:
        return self.write_into({}, value, writing)

    def write_into(self, out: dict[str, Any], value: Any, writing: Writing) -> dict[str, Any]:
        """Writes beside what `out` has already. What is still to come is put there too: it must not be copied
        before the writing is finished."""
        for name, get, write in self._plain:
            out[name] = get(value) if write is None else write(get(value), writing)
        for name, call, write in self._resolved:
            found = call.start(value, writing.context, {})
            put = partial(_put, out, name, write, writing)
            if inspect.isawaitable(found):
                out[name] = None
                writing.later(found, put)
            else:
                put(found)
        for get in self._hoisted:
            self._hoist(out, get(value))
        return out

    def _hoist(self, out: dict[str, Any], value: Any) -> None:
        members = orjson.loads(str(value)) if isinstance(value, JsonText) else value
        if isinstance(members, dict):
            out.update(
                (name, member)
                for name, member in members.items()
                if name not in self._taken and not RESERVED.fullmatch(name)
            )


def _put(out: dict[str, Any], name: str, write: Writer | None, writing: Writing, found: Any) -> None:
    out[name] = found if write is None else write(found, writing)


class Writers:
    """The writers of a schema's types, each compiled when it is first asked for."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._types: dict[str, TypeWriter] = {}

    def of(self, type_: GraphQLObjectType) -> TypeWriter:
        """Raises BadHalSchema when the type's `@halField` directives can't be carried out."""
        if type_.name not in self._types:
            self._types[type_.name] = TypeWriter()
            self._types[type_.name].take(tuple(self._properties(type_)))
        return self._types[type_.name]

    def _properties(self, type_: GraphQLObjectType) -> Iterator[Property]:
        names: set[str] = set()
        for graphql_name, found in type_.fields.items():
            known = definition(found)
            hal = next((d for d in known.directives if isinstance(d, HalField)), None)
            is_global_id = graphql_name == "id" and get_named_type(found.type).name == "ID"
            if hal.hidden if hal else (not known.is_basic_field or is_global_id):
                continue
            hal = hal or HalField()
            name = hal.name or known.python_name
            where = f"{type_.name}.{graphql_name}"
            if name in names:
                raise BadHalSchema(f"{where}: the type has a property {name!r} already")
            if not known.is_basic_field and any(is_required(argument) for argument in found.args.values()):
                raise BadHalSchema(f"{where}: a field served as a property can't need arguments")
            if hal.hoist and not known.is_basic_field:
                raise BadHalSchema(f"{where}: only a plain attribute can be hoisted")
            names.add(name)
            yield Property(
                name,
                found,
                known.python_name,
                None if known.is_basic_field else FieldCall(self._schema, type_, graphql_name, found),
                self._writer(found.type),
                bool(hal.hoist),
                hal.link or None,
            )

    def _writer(self, type_: GraphQLOutputType) -> Writer | None:
        """The writer of values of `type_`, or None where orjson takes them as they are."""
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type)
        present = self._present(type_)
        if present is None:
            return None
        return lambda value, writing: None if value is None else present(value, writing)

    def _present(self, type_: GraphQLOutputType) -> Writer | None:
        nullable = get_nullable_type(type_)
        if isinstance(nullable, GraphQLList):
            item = self._writer(nullable.of_type)
            if item is None:
                return lambda value, writing: list(value)
            return lambda value, writing: [item(member, writing) for member in value]
        if is_leaf_type(nullable):
            if nullable.name in _AS_THEY_ARE:
                return None
            return lambda value, writing: nullable.coerce_output_value(value)
        if isinstance(nullable, GraphQLObjectType):
            return self.of(nullable).write
        assert is_abstract_type(nullable)
        writers = {possible.name: self.of(possible) for possible in self._schema.get_possible_types(nullable)}
        return lambda value, writing: writers[value.__strawberry_definition__.name].write(value, writing)
