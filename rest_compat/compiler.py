"""From a schema's directives to the operations of the facade."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from rest_compat.addresses import Shape
from rest_compat.arguments import QueryArguments
from rest_compat.calls import FieldCall, definition
from rest_compat.declarations import Declaration, Declarations, Route
from rest_compat.errors import BadHalSchema
from rest_compat.inputs import InputReader, MutationInput
from rest_compat.negotiation import HAL
from rest_compat.operations import Operation, Picked, ReadOperation, Step, WriteOperation
from rest_compat.relations import check_meanings
from rest_compat.resource_compiler import ResourceCompiler
from rest_compat.resources import Collection
from rest_compat.serialiser import Writers
from schema.machinery.directives import HalMethod, HalRole

_BESIDE = (HalRole.HOIST, HalRole.STAND_IN)
_USER_ERRORS = "user_errors"
"""The field of a payload, by Python name, that says why its mutation did nothing."""


def compile_operations(schema: GraphQLSchema) -> tuple[Operation, ...]:
    """The operations of the schema's `@hal` directives.

    Raises BadHalSchema, naming the field, for a directive that can't be carried out or contradicts another.
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
        self._resources = ResourceCompiler(schema, self._declared, self._writers)
        self._ids: set[str] = set()

    def operations(self) -> Iterator[Operation]:
        primary: dict[tuple[Shape, HalMethod], Route] = {}
        beside: dict[Shape, Route] = {}
        for route in self._declared.routes:
            declaration, shape = route.declaration, route.address.shape
            if declaration.role in _BESIDE:
                if first := beside.get(shape):
                    raise BadHalSchema(f"{declaration.where}: {route.address.template} has {first.declaration.where}")
                beside[shape] = route
            elif first := primary.get((shape, declaration.method)):
                raise BadHalSchema(
                    f"{declaration.where}: {declaration.method.value} {route.address.template} is answered by"
                    f" {first.declaration.where} already"
                )
            else:
                primary[shape, declaration.method] = route
        for (shape, method), route in primary.items():
            picked = beside.pop(shape, None) if method is HalMethod.GET else None
            yield self._write(route) if route.declaration.is_mutation else self._read(route, picked)
        for left in beside.values():
            raise BadHalSchema(
                f"{left.declaration.where}: nothing answers {left.address.template} that it could be beside"
            )

    def _read(self, route: Route, beside: Route | None) -> ReadOperation:
        declaration = route.declaration
        if declaration.method is not HalMethod.GET:
            raise BadHalSchema(f"{declaration.where}: a query is a GET")
        step = self._step(route)
        shown = self._resources.collection(route) or self._resources.of_route(route)
        picked = None
        if beside:
            if not isinstance(shown, Collection) or beside.declaration.parent is not declaration.parent:
                raise BadHalSchema(
                    f"{beside.declaration.where}: it can only be shown beside a collection of the same type"
                )
            picked = Picked(
                self._step(beside),
                self._resources.of_route(beside),
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
            alternates=self._resources.alternates_of(route),
        )

    def _write(self, route: Route) -> WriteOperation:
        declaration, hal = route.declaration, route.declaration.hal
        if declaration.role is not HalRole.ANSWER or declaration.method is HalMethod.GET:
            raise BadHalSchema(f"{declaration.where}: a mutation has no role, and isn't a GET")
        payload = declaration.type
        if hal.returns and hal.returns not in self._entities(payload):
            raise BadHalSchema(f"{declaration.where}: {payload.name} has no field {hal.returns!r} to return")
        names = [hal.returns] if hal.returns else list(self._entities(payload))
        entity = get_named_type(payload.fields[self._entities(payload)[names[0]]].type) if len(names) == 1 else None
        if isinstance(entity, GraphQLObjectType):
            shown, get = self._resources.of_type(entity), attrgetter(names[0])
        else:
            said = [p.name for p in self._writers.of(payload).properties if p.attribute != _USER_ERRORS]
            shown, get = self._resources.of_type(payload).only(said), None
        if hal.fields:
            try:
                shown = shown.only(list(hal.fields))
            except LookupError as error:
                raise BadHalSchema(f"{declaration.where}: {error}") from error
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
        alternates = self._resources.alternates_of(route)
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
