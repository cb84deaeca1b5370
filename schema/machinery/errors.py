"""The pool's errors, as GraphQL and the layers above it see them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from resolvers.errors import ErrorCode, Fault, PoolError, StorageFull, StorageUnavailable
from resolvers.faults import Faults
from schema.machinery.places import Places

__all__ = ["ErrorCode", "Fault", "Faults", "PoolError", "code_of", "explained", "is_internal", "with_code"]

CALLERS_FAULTS = (
    PoolError,
    GraphQLError,
    MissingQueryError,
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)


def code_of(problem: BaseException) -> ErrorCode:
    """The code that callers get for an exception of a resolver."""
    if isinstance(problem, PoolError):
        return problem.code
    if isinstance(problem, StorageUnavailable):
        return ErrorCode.UNAVAILABLE
    return ErrorCode.INTERNAL


def explained(problem: BaseException) -> str:
    """What callers learn of an exception that is no fault of theirs."""
    if isinstance(problem, StorageFull):
        return "the pool's disk is full, and nothing was stored; try again later"
    if isinstance(problem, StorageUnavailable):
        return "the pool's store does not answer; try again"
    return "something went wrong in the pool; its log says more"


def is_internal(error: GraphQLError) -> bool:
    """Whether an error is a fault of the pool, of which callers learn nothing but that it happened."""
    return error.original_error is not None and not isinstance(error.original_error, CALLERS_FAULTS)


def with_code(error: GraphQLError, places: Places) -> GraphQLError:
    """The error with its code, and the input field at fault, among its `extensions`."""
    original = error.original_error
    if isinstance(original, PoolError):
        error.extensions = _extended(error, original.code, original.field)
        if original.retry_after_s:
            error.extensions["retryAfterSeconds"] = original.retry_after_s
    elif not is_internal(error) and "code" not in (error.extensions or {}):
        # GraphQL's own: the request is not what the schema takes.
        place, error.message = places.of(error)
        error.extensions = _extended(error, ErrorCode.BAD_INPUT, place)
    return error


def _extended(error: GraphQLError, code: ErrorCode, field: str) -> dict[str, Any]:
    return {**(error.extensions or {}), "code": code.value} | ({"field": field} if field else {})
