"""What only those see who may read a job or flow: said by `@private` in the schema, and checked before a field is
resolved."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any, Protocol

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from resolvers.access.visibility import Readable
from schema.machinery.context import Context


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="private",
    description="Of a PRIVATE job or flow only its owner and operators get this; others get null, or an empty list. "
    "`viewerCanRead` says who gets it.",
)
class IsPrivate:
    pass


class HasDocument(Protocol):
    @property
    def document(self) -> Readable: ...


class Private(FieldExtension):
    """Resolves a field for those who may read the document that its object shows; for all others it is `otherwise`."""

    def __init__(self, otherwise: Callable[[], object] = lambda: None) -> None:
        self._otherwise = otherwise

    def apply(self, field: StrawberryField) -> None:
        if not any(isinstance(each, IsPrivate) for each in field.directives):
            field.directives = [*field.directives, IsPrivate()]

    # Not a coroutine function: in an open pool it must cost next to nothing.
    def resolve_async(self, next_: Callable[..., Any], source: HasDocument, info: Info, **kwargs: Any) -> Any:
        context: Context = info.context
        if not context.runtime.wants_tokens:
            return next_(source, info, **kwargs)
        return self._checked(next_, source, info, kwargs)

    async def _checked(
        self, next_: Callable[..., Any], source: HasDocument, info: Info, arguments: dict[str, Any]
    ) -> Any:
        context: Context = info.context
        if not await context.may_read(source.document):
            return self._otherwise()
        found = next_(source, info, **arguments)
        return await found if isawaitable(found) else found
