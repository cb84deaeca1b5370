"""What a route does: operations, compiled from the schema's directives and never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_compat.addresses import Address
from rest_compat.arguments import QueryArguments
from rest_compat.calls import FieldCall
from rest_compat.errors import NoSuchResource
from rest_compat.exchange import Answer, Exchange
from rest_compat.inputs import MutationInput
from rest_compat.resources import Collection, Resource
from rest_compat.serialiser import Writing
from schema.machinery.directives import HalRole
from schema.machinery.turns import aside


@dataclass(frozen=True)
class Step:
    """A query's field and how its arguments are read."""

    call: FieldCall
    arguments: QueryArguments

    async def value(self, source: object, exchange: Exchange, query: dict[str, list[str]]) -> Any:
        return await self.call.value(source, exchange.context, self.arguments.read(exchange.values, query))


@dataclass(frozen=True)
class Alternate:
    """Another representation of a resource: the text of a field of its type."""

    types: tuple[str, ...]
    suffix: str
    call: FieldCall


@dataclass(frozen=True)
class Picked:
    """A resource that is shown at the top level of another answer.

    `stands_in` is one whose `self` becomes the answer's. `warning` is shown when there is none.
    """

    step: Step
    resource: Resource
    stands_in: bool
    warning: str | None


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        id: unique name, for OpenAPI.
        address: the path; its variables have one name in all operations.
        call: the field that answers.
        relations: under which names resources link to it.
        contract: lines of the legacy contract that it keeps.
        offers: the media types it can be asked for.
    """

    id: str
    method: str
    address: Address
    call: FieldCall
    relations: tuple[str, ...]
    contract: tuple[int, ...]
    offers: tuple[str, ...]

    @property
    def field(self) -> str:
        """The GraphQL field, as `Type.field`."""
        return f"{self.call.parent.name}.{self.call.name}"

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that an answer may have as its `self`."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        return self.call.field.description or ""

    async def answer(self, exchange: Exchange) -> Answer:
        """Carries the operation out.

        Raises BadRequest for arguments that can't be read, and whatever the schema's resolvers raise.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class ReadOperation(Operation):
    """A `GET`.

    Attributes:
        role: what the field's value is in the answer.
        chain: the fields from the root to the object that has the field.
        step: the field.
        shown: what it answers with; a field of another kind than these is served as a bare `value`.
        picked: the resource at the top level of a collection's answer.
        alternates: other representations of the resource.
    """

    role: HalRole
    chain: tuple[Step, ...]
    step: Step
    shown: Resource | Collection
    picked: Picked | None = None
    alternates: tuple[Alternate, ...] = ()

    async def answer(self, exchange: Exchange) -> Answer:
        source = await self._source(exchange)
        writing = Writing(exchange.context)
        if isinstance(self.shown, Collection):
            found = await self.step.value(source, exchange, self.shown.page(exchange.query))
            if found is None:
                raise NoSuchResource
            document = self.shown.write(found, exchange, writing)
            if self.picked:
                document = await self._with_picked(self.picked, source, document, exchange, writing)
        else:
            document = self.shown.write(await self._found(source, exchange), exchange, writing)
        await writing.finish()
        itself = document["_links"]["self"]["href"]
        return Answer(document, headers={} if itself == exchange.url else {"Content-Location": itself})

    @property
    def resources(self) -> tuple[Resource, ...]:
        shown = (self.shown,) if isinstance(self.shown, Resource) else ()
        return (*shown, self.picked.resource) if self.picked else shown

    async def alternate(self, alternate: Alternate, exchange: Exchange) -> Answer:
        """The resource in another representation."""
        found = await self._found(await self._source(exchange), exchange)
        text = await alternate.call.value(found, exchange.context, {})
        if text is None:
            raise NoSuchResource
        return Answer(text=text)

    async def _source(self, exchange: Exchange) -> object:
        source: object = None
        for step in self.chain:
            source = await step.value(source, exchange, {})
            if source is None:
                raise NoSuchResource
        return source

    async def _found(self, source: object, exchange: Exchange) -> Any:
        found = await self.step.value(source, exchange, exchange.query)
        if found is None:
            raise NoSuchResource
        return found

    async def _with_picked(
        self, picked: Picked, source: object, document: dict[str, Any], exchange: Exchange, writing: Writing
    ) -> dict[str, Any]:
        found = await picked.step.value(source, exchange, exchange.query)
        if found is None:
            return {**document, "warningMessage": picked.warning} if picked.warning else document
        shown = picked.resource.write(found, exchange, writing)
        own, theirs = document["_links"], shown["_links"]
        links = {**own, **theirs} if picked.stands_in else {**theirs, **own}
        shown.update(document, _links=links)
        return shown


NO_CONTENT = 204


@dataclass(frozen=True)
class UserError:
    """What a mutation's payload has in `userErrors`."""

    code: str
    message: str
    field: str
    retry_after_s: int = 0


class Refused(Exception):
    """The mutation did nothing, for reasons of the user's; `by_body`: the first of them is about the body, not about
    the address."""

    def __init__(self, errors: list[UserError], *, by_body: bool) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.by_body = by_body


@dataclass(frozen=True)
class WriteOperation(Operation):
    """A mutation.

    Attributes:
        input: how its one argument is put together.
        entity: from the payload to the entity it holds, or None where it holds none.
        shown: what is answered: the entity, or else the payload.
        echoes: whether only some of its properties are answered.
        status: of success.
    """

    input: MutationInput
    entity: Callable[[Any], Any] | None
    shown: Resource
    echoes: bool
    status: int

    @property
    def resources(self) -> tuple[Resource, ...]:
        return (self.shown,)

    async def answer(self, exchange: Exchange) -> Answer:
        given = (exchange.values, exchange.query, exchange.idempotency_key, exchange.body)
        if hasattr(exchange.context, "weight"):
            exchange.context.weight = len(exchange.body)
        arguments = await aside(self.input.read, *given, weight=len(exchange.body))
        payload = await self.call.value(None, exchange.context, arguments)
        if errors := getattr(payload, "user_errors", None):
            told = [_user_error(error) for error in errors]
            raise Refused(told, by_body=self.input.is_of_body(told[0].field))
        if self.status == NO_CONTENT:
            return Answer(status=self.status)
        entity = self.entity(payload) if self.entity else payload
        if isinstance(entity, list):
            entity = entity[0] if entity else None
        if entity is None:
            raise NoSuchResource
        writing = Writing(exchange.context)
        document = self.shown.write(entity, exchange, writing)
        await writing.finish()
        itself = self.shown.href(exchange.root, entity) if self.shown.address else None
        created = itself is not None and self.status in (201, 202)
        return Answer(document, status=self.status, headers={"Location": itself} if itself and created else {})


def _user_error(error: Any) -> UserError:
    code = error.code
    field = error.field or ""
    return UserError(
        code.value if hasattr(code, "value") else str(code),
        error.message,
        ".".join(map(str, field)) if isinstance(field, list) else str(field),
        getattr(error, "retry_after_seconds", None) or 0,
    )
