"""The input of a mutation, put together from the path, the query string, a header and the body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLType,
    assert_leaf_type,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.types.field import StrawberryField

from rest_compat.arguments import JSON, Parameter, is_required, parse_text
from rest_compat.calls import FieldCall, hal_field
from rest_compat.errors import BadHalSchema, BadRequest, NoSuchResource
from schema.machinery.errors import Faults, PoolError
from schema.machinery.scalars import JsonText, well_formed
from schema.machinery.scalars import read as read_json


@dataclass(frozen=True)
class InputField:
    """One member of an input object: its name in JSON, in GraphQL, and whether clients may send it."""

    json_name: str
    graphql_name: str
    field: GraphQLInputField
    hidden: bool

    @property
    def required(self) -> bool:
        return is_required(self.field)


class InputReader:
    """Reads JSON values into input objects, naming what is wrong by its path in the JSON."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, InputField]] = {}

    def fields(self, type_: GraphQLInputObjectType) -> dict[str, InputField]:
        """The members of `type_` by their JSON name."""
        if type_.name not in self._fields:
            found = {}
            for name, field in type_.fields.items():
                known: StrawberryField = field.extensions["strawberry-definition"]
                hal = hal_field(known)
                json_name = hal.name or known.python_name
                found[json_name] = InputField(json_name, name, field, bool(hal.hidden))
            self._fields[type_.name] = found
        return self._fields[type_.name]

    def locate(self, type_: GraphQLInputObjectType, dotted: str) -> tuple[InputField, ...]:
        """The members on the way to `a.b.c`, given in Python, JSON or GraphQL names.

        Raises LookupError when there is none.
        """
        way: list[InputField] = []
        at: GraphQLType = type_
        for name in dotted.split("."):
            members = self.fields(at).values() if isinstance(at, GraphQLInputObjectType) else ()
            member = next((m for m in members if name in (m.json_name, m.graphql_name)), None)
            if member is None:
                raise LookupError(f"{get_named_type(at)} has no field {name!r}")
            way.append(member)
            at = get_named_type(member.field.type)
        return tuple(way)

    def read(self, type_: GraphQLInputType, value: Any, at: str) -> Any:
        """`value` coerced to `type_`, as `graphql.utilities.coerce_input_value` would.

        Args:
            at: where the value stands in the request, for messages.

        Raises BadRequest for a value that isn't of the type.
        """
        if isinstance(type_, GraphQLNonNull):
            if value is None and get_named_type(type_).name == JSON:
                value = JsonText("null")  # GraphQL has no other null, JSON has
            if value is None:
                raise BadRequest(f"{at} must not be null.", field=at)
            return self.read(type_.of_type, value, at)
        if value is None:
            return None
        if isinstance(type_, GraphQLList):
            if not isinstance(value, list):
                return [self.read(type_.of_type, value, at)]
            return self._read_list(type_.of_type, value, at)
        if isinstance(type_, GraphQLInputObjectType):
            return self._read_object(type_, value, at)
        try:
            return assert_leaf_type(type_).coerce_input_value(value)
        except GraphQLError as error:
            raise BadRequest(f"{at}: {error.message}", field=at) from error

    def _read_list(self, type_: GraphQLInputType, values: Sequence[Any], at: str) -> list[Any]:
        read: list[Any] = []
        faults = Faults(BadRequest)
        for index, value in enumerate(values):
            with faults.gathered():
                read.append(self.read(type_, value, f"{at}[{index}]"))
        faults.raise_all()
        return read

    def _read_object(self, type_: GraphQLInputObjectType, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise BadRequest(f"{at or 'The body'} must be an object.", field=at)
        members = self.fields(type_)
        prefix = f"{at}." if at else ""
        faults = Faults(BadRequest)
        for name in value:
            with faults.gathered():
                if name not in members:
                    raise _unknown(f"{prefix}{name}", name, members)
        read: dict[str, Any] = {}
        for name, member in members.items():
            target = member.field.out_name or member.graphql_name
            with faults.gathered():
                if name in value:
                    read[target] = self.read(member.field.type, value[name], prefix + name)
                elif member.required:
                    raise BadRequest(f"{prefix}{name} is required.", field=f"{prefix}{name}")
        faults.raise_all()
        return type_.out_type(read)


_INDEX = re.compile(r"\[[0-9]+\]")

IDEMPOTENCY_KEY = "idempotencyKey"
"""The field of an input that the header `Idempotency-Key` fills."""


class MutationInput:
    """The one `input` of a mutation: put together from the path, the query string, a header and the body."""

    def __init__(self, call: FieldCall, reader: InputReader, path: Mapping[str, int], body: str | None) -> None:
        """
        Args:
            path: for each member of the input that the path holds, dotted, the number of its variable.
            body: the member, dotted, that takes the whole body, if one does.

        Raises BadHalSchema when the mutation has no `input` object, or one of these is not a member of it.
        """
        where = f"{call.parent.name}.{call.name}"
        argument = call.field.args.get("input")
        type_ = get_nullable_type(argument.type) if argument else None
        if len(call.field.args) != 1 or not isinstance(type_, GraphQLInputObjectType):
            raise BadHalSchema(f"{where}: a mutation with a route takes one argument `input`, an input object")
        self.type = type_
        self.members = reader.fields(type_)
        self._reader = reader
        try:
            self._path = [(reader.locate(type_, dotted), index) for dotted, index in path.items()]
            self.whole = reader.locate(type_, body) if body else None
        except LookupError as error:
            raise BadHalSchema(f"{where}: the path or the body names what isn't there: {error}") from error
        self._bound = {way[0].json_name for way, _ in self._path}
        keys = (m for m in self.members.values() if m.graphql_name == IDEMPOTENCY_KEY and not m.hidden)
        self.idempotent = next(keys, None)
        if self.idempotent:
            self._bound.add(self.idempotent.json_name)
        self.query = tuple(self._parameters()) if self.whole else ()

    @property
    def properties(self) -> dict[str, InputField]:
        """What the body may hold; nothing where it is one value that isn't an input object."""
        if not self.whole:
            return {n: m for n, m in self.members.items() if n not in self._bound and not m.hidden}
        type_ = get_named_type(self.whole[-1].field.type)
        members = self._reader.fields(type_) if isinstance(type_, GraphQLInputObjectType) else {}
        return {name: member for name, member in members.items() if not member.hidden}

    @property
    def needs_body(self) -> bool:
        return self.whole is not None or any(member.required for member in self.properties.values())

    def _parameters(self) -> Iterator[tuple[tuple[InputField, ...], Parameter]]:
        """The scalars around the scalar that takes the whole body: they can only be given in the query string."""
        assert self.whole
        taken = [_names(way) for way, _ in self._path]
        for depth, member in enumerate(self.whole):
            around = self.whole[:depth]
            owner = self.type if not around else get_named_type(around[-1].field.type)
            assert isinstance(owner, GraphQLInputObjectType)
            for sibling in self._reader.fields(owner).values():
                way = (*around, sibling)
                free = sibling not in (member, self.idempotent) and _names(way) not in taken
                if free and not sibling.hidden and is_leaf_type(get_named_type(sibling.field.type)):
                    yield way, Parameter(sibling.json_name, sibling.graphql_name, sibling.field)

    def read(
        self, values: Sequence[str], query: Mapping[str, list[str]], idempotency_key: str | None, body: bytes
    ) -> dict[str, Any]:
        """The coerced `input`, under that name.

        Raises BadRequest for a body that isn't JSON or not what the input takes.
        """
        given = self._whole(body) if self.whole else self._object(body)
        for way, parameter in self.query:
            if parameter.json_name in query:
                _put(given, way, parameter.parse(query[parameter.json_name]))
        for way, index in self._path:
            try:
                _put(given, way, parse_text(way[-1].field.type, [values[index]]))
            except ValueError as error:
                raise NoSuchResource from error
        if self.idempotent and idempotency_key is not None:
            given[self.idempotent.json_name] = idempotency_key
        try:
            return {"input": self._reader.read(self.type, given, "")}
        except RecursionError:
            raise BadRequest("The body has more levels than are read: nest it less deeply.") from None

    def is_of_body(self, field: str) -> bool:
        """Whether an error about `field` (`jobs[0].job`, in GraphQL names) is about something that no path holds."""
        of_path = {".".join(member.graphql_name for member in way) for way, _ in self._path}
        return bool(field) and _INDEX.sub("", field) not in of_path

    def _whole(self, body: bytes) -> dict[str, Any]:
        assert self.whole
        value = _loads(body)
        if get_named_type(self.whole[-1].field.type).name == JSON:
            value = JsonText(well_formed(body.decode()))
        given: dict[str, Any] = {}
        _put(given, self.whole, value)
        return given

    def _object(self, body: bytes) -> dict[str, Any]:
        accepted = self.properties
        if not body and not self.needs_body:
            return {}
        given = _loads(body)
        if not isinstance(given, dict):
            raise BadRequest("The body must be a JSON object.")
        faults = Faults(BadRequest)
        for name in given:
            with faults.gathered():
                self._check_known(name, accepted)
        faults.raise_all()
        return given

    def _check_known(self, name: str, accepted: Mapping[str, InputField]) -> None:
        if self.idempotent and name in (self.idempotent.json_name, self.idempotent.graphql_name):
            raise BadRequest(f"{name} is sent as the header Idempotency-Key.", field=name)
        if name not in accepted:
            raise _unknown(name, name, accepted)


def _unknown(at: str, name: str, members: Mapping[str, InputField]) -> BadRequest:
    here = next((member.json_name for member in members.values() if member.graphql_name == name), "")
    hint = f"it is called {here}" if here else f"known are {', '.join(members)}"
    return BadRequest(f"{at} is not known here; {hint}.", field=at)


def _loads(body: bytes) -> Any:
    if not body:
        raise BadRequest("The body is empty; JSON is expected.")
    try:
        return read_json(body, name="The body")
    except PoolError as error:
        raise BadRequest(f"{error.message}.") from None


def _put(given: dict[str, Any], way: Sequence[InputField], value: Any) -> None:
    for member in way[:-1]:
        given = given.setdefault(member.json_name, {})
    given[way[-1].json_name] = value


def _names(way: Sequence[InputField]) -> list[str]:
    return [member.json_name for member in way]
