"""From a schema's directives to the operations of the facade."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from rest_compat.addresses import Address, Shape
from rest_compat.arguments import QueryArguments
from rest_compat.calls import FieldCall, definition, hal_field
from rest_compat.declarations import Declaration, Declarations, Route
from rest_compat.errors import HalSchemaError
from rest_compat.inputs import InputReader, MutationInput
from rest_compat.links import Link, Links
from rest_compat.negotiation import HAL
from rest_compat.operations import Alternate, Operation, Picked, ReadOperation, Step, WriteOperation
from rest_compat.relations import check_meanings
from rest_compat.resources import Collection, Resource
from rest_compat.serialiser import RESERVED, Writers
from schema.machinery.directives import HalMethod, HalRole

_BESIDE = (HalRole.HOIST, HalRole.STAND_IN)
_USER_ERRORS = "user_errors"
"""The field of a payload, by Python name, that says why its mutation did nothing."""


def compile_operations(schema: GraphQLSchema) -> tuple[Operation, ...]:
    """The operations of the schema's `@hal` directives.

    Raises HalSchemaError, naming the field, for a directive that can't be carried out or contradicts another.
    """
    operations = tuple(_Compiler(schema).operations())
    check_meanings(operations)
    return operations


class _Compiler:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._declared = Declarations(schema)
        self._writers = Writers(schema)
        self._reader = InputReader()
        self._resources: dict[str, Resource] = {}
        self._ids: set[str] = set()

    def operations(self) -> Iterator[Operation]:
        primary: dict[tuple[Shape, HalMethod], Route] = {}
        beside: dict[Shape, Route] = {}
        for route in self._declared.routes:
            declaration, shape = route.declaration, route.address.shape
            if declaration.role in _BESIDE:
                if first := beside.get(shape):
                    raise HalSchemaError(f"{declaration.where}: {route.address.template} has {first.declaration.where}")
                beside[shape] = route
            elif first := primary.get((shape, declaration.method)):
                raise HalSchemaError(
                    f"{declaration.where}: {declaration.method.value} {route.address.template} is answered by"
                    f" {first.declaration.where} already"
                )
            else:
                primary[shape, declaration.method] = route
        for (shape, method), route in primary.items():
            picked = beside.pop(shape, None) if method is HalMethod.GET else None
            yield self._write(route) if route.declaration.is_mutation else self._read(route, picked)
        for left in beside.values():
            raise HalSchemaError(
                f"{left.declaration.where}: nothing answers {left.address.template} that it could be beside"
            )

    def _read(self, route: Route, beside: Route | None) -> ReadOperation:
        declaration = route.declaration
        if declaration.method is not HalMethod.GET:
            raise HalSchemaError(f"{declaration.where}: a query is a GET")
        step = self._step(route)
        shown = self._collection(route) or self._resource_of(route)
        picked = None
        if beside:
            if not isinstance(shown, Collection) or beside.declaration.parent is not declaration.parent:
                raise HalSchemaError(
                    f"{beside.declaration.where}: it can only be shown beside a collection of the same type"
                )
            picked = Picked(
                self._step(beside),
                self._resource_of(beside),
                beside.declaration.role is HalRole.STAND_IN,
                beside.declaration.hal.warning or None,
            )
        return ReadOperation(
            **self._common(route, beside),
            role=declaration.role,
            chain=self._chain(declaration),
            step=step,
            shown=shown,
            picked=picked,
            alternates=self._alternates_of(route),
        )

    def _write(self, route: Route) -> WriteOperation:
        declaration, hal = route.declaration, route.declaration.hal
        if declaration.role is not HalRole.ANSWER or declaration.method is HalMethod.GET:
            raise HalSchemaError(f"{declaration.where}: a mutation has no role, and isn't a GET")
        payload = declaration.type
        if hal.returns and hal.returns not in self._entities(payload):
            raise HalSchemaError(f"{declaration.where}: {payload.name} has no field {hal.returns!r} to return")
        names = [hal.returns] if hal.returns else list(self._entities(payload))
        entity = get_named_type(payload.fields[self._entities(payload)[names[0]]].type) if len(names) == 1 else None
        if isinstance(entity, GraphQLObjectType):
            shown, get = self._resource(entity), attrgetter(names[0])
        else:
            said = [p.name for p in self._writers.of(payload).properties if p.attribute != _USER_ERRORS]
            shown, get = self._resource(payload).only(said), None
        if hal.fields:
            try:
                shown = shown.only(list(hal.fields))
            except LookupError as error:
                raise HalSchemaError(f"{declaration.where}: {error}") from error
        created = declaration.method is HalMethod.POST and shown.address is not None
        return WriteOperation(
            **self._common(route),
            input=MutationInput(self._call(declaration), self._reader, route.own, hal.body or None),
            entity=get,
            shown=shown,
            echoes=bool(hal.fields),
            status=hal.status or (201 if created else 200),
        )

    @staticmethod
    def _entities(payload: GraphQLObjectType) -> dict[str, str]:
        """The fields of a payload beside its errors: by Python name, the GraphQL name."""
        names = {definition(field).python_name: name for name, field in payload.fields.items()}
        return {python_name: name for python_name, name in names.items() if python_name != _USER_ERRORS}

    def _common(self, route: Route, beside: Route | None = None) -> dict[str, Any]:
        alternates = self._alternates_of(route)
        declarations = [route.declaration, *([beside.declaration] if beside else [])]
        return {
            "id": self._unique_id(route.declaration),
            "method": route.declaration.method.value,
            "address": route.address,
            "call": self._call(route.declaration),
            "offers": HAL + tuple(type_ for alternate in alternates for type_ in alternate.types),
            "relations": (*(route.declaration.hal.rel or ()), *(route.declaration.hal.rel_wide or ())),
            "contract": tuple(sorted({line for d in declarations for line in d.hal.contract or ()})),
        }

    def _unique_id(self, declaration: Declaration) -> str:
        wanted = declaration.name if declaration.is_root else f"{declaration.parent.name}_{declaration.name}"
        numbered = (f"{wanted}_{number}" for number in range(2, 1000))
        chosen = wanted if wanted not in self._ids else next(name for name in numbered if name not in self._ids)
        self._ids.add(chosen)
        return chosen

    def _call(self, declaration: Declaration) -> FieldCall:
        return FieldCall(self._schema, declaration.parent, declaration.name, declaration.field)

    def _step(self, route: Route) -> Step:
        call = self._call(route.declaration)
        return Step(call, QueryArguments(call, route.own))

    def _chain(self, declaration: Declaration) -> tuple[Step, ...]:
        if declaration.is_root:
            return ()
        home = self._declared.homes[declaration.parent.name]
        return (*self._chain(home.declaration), self._step(home))

    def _collection(self, route: Route) -> Collection | None:
        """What the route answers with when its field is a list or a connection."""
        declaration = route.declaration
        paged = {"edges", "pageInfo"} <= declaration.type.fields.keys()
        if not paged and not declaration.is_list:
            if declaration.role in (HalRole.LINKS, HalRole.EMBED):
                raise HalSchemaError(f"{declaration.where}: {declaration.type.name} is neither a list nor a connection")
            return None
        node = declaration.type
        if paged:
            edge = get_named_type(declaration.type.fields["edges"].type)
            assert isinstance(edge, GraphQLObjectType)
            named = get_named_type(edge.fields["node"].type)
            if not isinstance(named, GraphQLObjectType):
                raise HalSchemaError(f"{declaration.where}: the members of a collection are of one object type")
            node = named
        resource = self._resource(node)
        if resource.address is None:
            raise HalSchemaError(f"{declaration.where}: no field with the role SELF says where a {node.name} is")
        literals = [segment for segment in route.address.segments if isinstance(segment, str)]
        return Collection(
            resource,
            members=declaration.hal.members or literals[-1],
            embedded=declaration.role is not HalRole.LINKS,
            paged=paged,
            backwards={"last", "before"} <= declaration.field.args.keys(),
            links=self._links(declaration.where, route.address, None),
        )

    def _resource_of(self, route: Route) -> Resource:
        resource = self._resource(route.declaration.type)
        if resource.address is None:
            links = self._links(route.declaration.where, route.address, None)
            return dataclasses.replace(resource, links=links)
        return resource

    def _resource(self, type_: GraphQLObjectType) -> Resource:
        if type_.name not in self._resources:
            home = self._declared.homes.get(type_.name)
            writer = self._writers.of(type_)
            for shown in writer.properties if home else ():
                if RESERVED.fullmatch(shown.name):
                    raise HalSchemaError(
                        f"{type_.name}.{shown.attribute}: a property {shown.name!r} breaks the published"
                        " clients; hide it or give it another name"
                    )
            links = self._links(type_.name, home.address, type_) if home else Links(())
            self._resources[type_.name] = Resource(
                type_.name,
                home.address if home else None,
                writer,
                links,
                tuple(self._keys(type_, home)) if home else (),
                tuple((shown.link, attrgetter(shown.attribute)) for shown in writer.properties if shown.link),
                self._root_properties if home and not home.address.segments else None,
            )
        return self._resources[type_.name]

    @cached_property
    def _root_properties(self) -> dict[str, str]:
        return {
            route.declaration.hal.root_property: route.address.template
            for route in self._first_routes
            if route.declaration.hal.root_property
        }

    @cached_property
    def _first_routes(self) -> list[Route]:
        """The first path of each declaration, which links use."""
        firsts: dict[int, Route] = {}
        for route in self._declared.routes:
            firsts.setdefault(id(route.declaration), route)
        return list(firsts.values())

    def _links(self, where: str, source: Address, type_: GraphQLObjectType | None) -> Links:
        """The links of the resources of `type_`, which has its address at `source`; or of what else is at
        `source`."""
        links: dict[str, Link] = {}

        def add(link: Link) -> None:
            if links.setdefault(link.rel, link) != link:
                raise HalSchemaError(
                    f"{where}: its link {link.rel!r} would lead to {links[link.rel].template} and to {link.template}"
                )

        if type_:
            add(Link("self", source.template))
            for alternate in self._alternates(type_):
                add(Link("alternate", source.template + alternate.suffix, {"type": alternate.types[0]}))
        for route in self._first_routes:
            if type_ and self._declared.parent_of(route) == type_.name:
                for rel in route.declaration.hal.rel or ():
                    add(Link.between(rel, source, route.address))
            if route.address.can_be_told_from(source):
                for rel in route.declaration.hal.rel_wide or ():
                    add(Link.between(rel, source, route.address))
        return Links(links.values())

    def _alternates_of(self, route: Route) -> tuple[Alternate, ...]:
        declaration = route.declaration
        return self._alternates(declaration.type) if declaration.role is HalRole.SELF else ()

    def _alternates(self, type_: GraphQLObjectType) -> tuple[Alternate, ...]:
        return tuple(
            Alternate(tuple(found.types), found.suffix, FieldCall(self._schema, type_, name, field))
            for name, field, found in self._declared.alternates[type_.name]
        )

    def _keys(self, type_: GraphQLObjectType, home: Route) -> Iterator[tuple[str, Callable[[Any], Any]]]:
        """For each variable of the type's address, how a value gives it."""
        origin = type_.extensions["strawberry-definition"].origin
        bound = {
            hal_field(known).binds: known.python_name
            for known in map(definition, type_.fields.values())
            if hal_field(known).binds
        }
        own = {index: name for name, index in home.own.items()}
        for index, variable in enumerate(home.address.variables):
            candidates = [bound.get(variable), variable, own.get(index)]
            attribute = next((name for name in candidates if name and _is_attribute(origin, name)), None)
            if attribute is None:
                raise HalSchemaError(
                    f"{type_.name}: no attribute gives the variable {{{variable}}} of its address"
                    f" {home.address.template}, so nothing could link to it"
                )
            yield variable, attrgetter(attribute)


def _is_attribute(origin: type, name: str) -> bool:
    """Whether instances have the attribute without anything being resolved."""
    known = next((f for f in dataclasses.fields(origin) if f.name == name), None)
    if known is not None:
        return bool(getattr(known, "is_basic_field", True))
    found = inspect.getattr_static(origin, name, None)
    return isinstance(found, property | cached_property)
