"""From a schema's types to the resources of the facade."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from rest_compat.addresses import Address
from rest_compat.calls import FieldCall, definition, hal_field
from rest_compat.declarations import Declarations, Route
from rest_compat.errors import BadHalSchema
from rest_compat.links import Link, Links
from rest_compat.operations import Alternate
from rest_compat.resources import Collection, Resource
from rest_compat.serialiser import RESERVED, Writers
from schema.machinery.directives import HalRole


class ResourceCompiler:
    """The resources of a schema. Each is made once, when it is first asked for."""

    def __init__(self, schema: GraphQLSchema, declared: Declarations, writers: Writers) -> None:
        self._schema = schema
        self._declared = declared
        self._writers = writers
        self._known: dict[str, Resource] = {}

    def collection(self, route: Route) -> Collection | None:
        """What the route answers with when its field is a list or a connection."""
        declaration = route.declaration
        paged = {"edges", "pageInfo"} <= declaration.type.fields.keys()
        if not paged and not declaration.is_list:
            if declaration.role in (HalRole.LINKS, HalRole.EMBED):
                raise BadHalSchema(f"{declaration.where}: {declaration.type.name} is neither a list nor a connection")
            return None
        node = declaration.type
        if paged:
            edge = get_named_type(declaration.type.fields["edges"].type)
            assert isinstance(edge, GraphQLObjectType)
            named = get_named_type(edge.fields["node"].type)
            if not isinstance(named, GraphQLObjectType):
                raise BadHalSchema(f"{declaration.where}: the members of a collection are of one object type")
            node = named
        resource = self.of_type(node)
        if resource.address is None:
            raise BadHalSchema(f"{declaration.where}: no field with the role SELF says where a {node.name} is")
        literals = [segment for segment in route.address.segments if isinstance(segment, str)]
        return Collection(
            resource,
            members=declaration.hal.members or literals[-1],
            embedded=declaration.role is not HalRole.LINKS,
            paged=paged,
            backwards={"last", "before"} <= declaration.field.args.keys(),
            links=self._links(declaration.where, route.address, None),
        )

    def of_route(self, route: Route) -> Resource:
        """The resource that the route answers with; if it has no address of its own, with the route's links."""
        resource = self.of_type(route.declaration.type)
        if resource.address is None:
            links = self._links(route.declaration.where, route.address, None)
            return dataclasses.replace(resource, links=links)
        return resource

    def of_type(self, type_: GraphQLObjectType) -> Resource:
        """The resource that shows values of the type.

        Raises BadHalSchema for a property that breaks published clients, for links that contradict each other, and
        for an address that the type's values don't fill.
        """
        if type_.name not in self._known:
            home = self._declared.homes.get(type_.name)
            writer = self._writers.of(type_)
            for shown in writer.properties if home else ():
                if RESERVED.fullmatch(shown.name):
                    raise BadHalSchema(
                        f"{type_.name}.{shown.attribute}: a property {shown.name!r} breaks the published"
                        " clients; hide it or give it another name"
                    )
            links = self._links(type_.name, home.address, type_) if home else Links(())
            self._known[type_.name] = Resource(
                type_.name,
                home.address if home else None,
                writer,
                links,
                tuple(self._keys(type_, home)) if home else (),
                tuple((shown.link, attrgetter(shown.attribute)) for shown in writer.properties if shown.link),
                self._root_properties if home and not home.address.segments else None,
            )
        return self._known[type_.name]

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
                raise BadHalSchema(
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

    def alternates_of(self, route: Route) -> tuple[Alternate, ...]:
        """The other representations of the resource at the route; empty if it isn't the resource's own address."""
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
                raise BadHalSchema(
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
