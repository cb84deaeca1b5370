"""What every mutation answers: its entity, or what was wrong with the input."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types import Info
from strawberry.utils.str_converters import to_camel_case

from resolvers.errors import PoolError
from schema.types.enums import ErrorCode


@strawberry.type(description="Something in the input that the caller can put right.")
class UserError:
    field: str | None = strawberry.field(description="Path of the input at fault, such as `variables[3].value`.")
    message: str = strawberry.field(description="What was expected, what came, and what to do.")
    code: ErrorCode = strawberry.field(description="The kind of error, for programs.")
    retry_after_seconds: int | None = strawberry.field(
        default=None, description="When the same is worth another try; null: that is not known, or it never is."
    )

    @classmethod
    def of(cls, problem: PoolError) -> UserError:
        return cls(
            field=to_camel_case(problem.field) or None,
            message=problem.message,
            code=ErrorCode(problem.code.value),
            retry_after_seconds=problem.retry_after_s or None,
        )


@strawberry.interface(description="The answer of a mutation.")
class Payload:
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Empty when the mutation was carried out."
    )


class UserErrors(FieldExtension):
    """Answers a mutation's domain errors in its payload, whose other fields are then null or empty."""

    def __init__(self, payload: type[Payload]) -> None:
        self._payload = payload

    async def resolve_async(self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any) -> Any:
        try:
            return await next_(source, info, **kwargs)
        except PoolError as problem:
            return self._payload(user_errors=[UserError.of(each) for each in (problem, *problem.others)])
