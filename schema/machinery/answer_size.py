"""How many bytes the answer to a query may have.

What is asked for is bounded by what a query may cost (`limits.py`); what that is in bytes is known once it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from resolvers.errors import TooLarge
from schema.machinery.context import Context


@dataclass(slots=True)
class AnswerBudget:
    """The bytes that one answer may have, and those of JSON values that it has so far."""

    most: int
    taken: int = 0

    def take(self, size: int) -> None:
        """Raises TooLarge once there are too many: what is left of the query need not be put together."""
        self.taken += size
        if self.taken > self.most:
            raise self.refusal()

    def refusal(self) -> TooLarge:
        return TooLarge(
            f"this query's answer has more than {self.most:,} bytes: ask for fewer fields, or for shorter pages with "
            "`first`"
        )


_BUDGET: ContextVar[AnswerBudget | None] = ContextVar("answer budget", default=None)


def take(size: int) -> None:
    """Count bytes of a JSON value that is answered. Raises TooLarge."""
    if budget := _BUDGET.get():
        budget.take(size)


class AnswerSize(SchemaExtension):
    """Answers TOO_LARGE in place of an answer that is.

    Queries only: what a mutation has done has to be told, and is bounded by its input.
    """

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context.context
        most = context.runtime.limits.answer_bytes if isinstance(context, Context) else 0
        if not most or self.execution_context.operation_type is not OperationType.QUERY:
            yield
            return
        budget = AnswerBudget(most)
        token = _BUDGET.set(budget)
        try:
            yield
        finally:
            _BUDGET.reset(token)
        result = self.execution_context.result
        if isinstance(result, ExecutionResult) and budget.taken + _text_size(result.data, most) > most:
            refusal = budget.refusal()
            # Strawberry goes on with this object, not with what the context has by then.
            result.data, result.errors = None, [GraphQLError(refusal.message, original_error=refusal)]


def _text_size(data: Any, most: int) -> int:
    """The characters of all texts in an answer, or more than `most`."""
    size = 0
    waiting = [data]
    while waiting and size <= most:
        value = waiting.pop()
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return size
