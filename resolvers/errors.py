"""Everything that can go wrong for a caller, in one place.

Each error is a domain exception with a code. The code is mapped once to GraphQL (`schema/errors.py`) and once to
HTTP (`rest_compat/problems.py`). Messages say what was expected, what came, and what to do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from storage.engines import StorageFull, StorageUnavailable

__all__ = ["StorageFull", "StorageUnavailable"]


class ErrorCode(StrEnum):
    BAD_INPUT = "BAD_INPUT"
    UNPARSABLE_JAVASCRIPT = "UNPARSABLE_JAVASCRIPT"
    REJECTED = "REJECTED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    CONFLICT = "CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    LEASE_LOST = "LEASE_LOST"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA = "QUOTA"
    TOO_LARGE = "TOO_LARGE"
    IN_PROGRESS = "IN_PROGRESS"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


TEMPORARY = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.IN_PROGRESS, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})
"""After these the same call may work later: clients try again."""


class Fault(Exception):
    """Something that is wrong with an input; `others` are what else is."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.others: list[Self] = []


class PoolError(Fault):
    """What a caller is answered. `field` is the path of the input at fault (`variables[3].value`), or empty;
    `retry_after_s` the seconds after which the same call is worth another try, or 0."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, *, field: str = "", retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s


class BadInput(PoolError):
    """A value is not what its field takes."""

    code = ErrorCode.BAD_INPUT


class UnparsableJavaScript(PoolError):
    """JavaScript that does not parse; the message has its line and column."""

    code = ErrorCode.UNPARSABLE_JAVASCRIPT


class Rejected(PoolError):
    """The job's own `validate_result` turned a value down."""

    code = ErrorCode.REJECTED


class NotFound(PoolError):
    """There is nothing under this name."""

    code = ErrorCode.NOT_FOUND


class AlreadyExists(PoolError):
    """The name is taken."""

    code = ErrorCode.ALREADY_EXISTS


class Conflict(PoolError):
    """The thing is not in a state in which this can be done to it."""

    code = ErrorCode.CONFLICT


class IdempotencyMismatch(PoolError):
    """An idempotency key came again with another body."""

    code = ErrorCode.IDEMPOTENCY_MISMATCH


class LeaseLost(PoolError):
    """The lease ran out, was released, or never was this host's."""

    code = ErrorCode.LEASE_LOST


class Unauthenticated(PoolError):
    """A token is missing, unknown, expired or revoked."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(PoolError):
    """The token's scopes do not cover this, or it is another account's."""

    code = ErrorCode.FORBIDDEN


class RateLimited(PoolError):
    """Too many requests; `retry_after_s` says when to come again."""

    code = ErrorCode.RATE_LIMITED


class QuotaExceeded(PoolError):
    """An account has as much in the pool as it may have, or has used as much of its sandbox as it may use in a minute:
    then `retry_after_s` says when to come again."""

    code = ErrorCode.QUOTA


class TooLarge(PoolError):
    """More bytes than the pool takes, or answers."""

    code = ErrorCode.TOO_LARGE


class InProgress(PoolError):
    """A request with this idempotency key is still being carried out, or what has the name is still being removed."""

    code = ErrorCode.IN_PROGRESS

    @classmethod
    def removing(cls, what: str, *, field: str) -> Self:
        """`what` was deleted a moment ago, and its name is free once all that hangs on it is removed."""
        return cls(f"{what} was deleted, and is still being removed: try again in a minute", field=field)


class Unavailable(PoolError):
    """The pool can't answer now: it is starting or draining, its store or its sandbox is away, or its disk is full."""

    code = ErrorCode.UNAVAILABLE
