"""The pool's errors, as GraphQL and the layers above it see them."""

from __future__ import annotations

from graphql import GraphQLError

from resolvers.errors import ErrorCode, PoolError, RateLimited, StorageUnavailable

__all__ = ["ErrorCode", "PoolError", "RateLimited", "code_of", "is_internal", "with_code"]


def code_of(problem: BaseException) -> ErrorCode:
    """The code that callers get for an exception of a resolver."""
    if isinstance(problem, PoolError):
        return problem.code
    if isinstance(problem, StorageUnavailable):
        return ErrorCode.UNAVAILABLE
    return ErrorCode.INTERNAL


def is_internal(error: GraphQLError) -> bool:
    """Whether an error is a fault of the pool, of which callers learn nothing but that it happened."""
    return error.original_error is not None and not isinstance(error.original_error, (PoolError, GraphQLError))


def with_code(error: GraphQLError) -> GraphQLError:
    """The error with its code, and the input field at fault, among its `extensions`."""
    original = error.original_error
    if isinstance(original, PoolError):
        field = {"field": original.field} if original.field else {}
        error.extensions = {**(error.extensions or {}), "code": original.code.value, **field}
    return error
