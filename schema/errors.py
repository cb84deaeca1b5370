"""The pool's errors, as the layers above the schema see them."""

from resolvers.errors import ErrorCode, PoolError, RateLimited

__all__ = ["ErrorCode", "PoolError", "RateLimited"]
