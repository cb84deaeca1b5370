"""The pool's enums as GraphQL shows them."""

from __future__ import annotations

from enum import Enum

import strawberry

from resolvers.claims import WhyNoWork as WhyNoWorkReason
from resolvers.errors import ErrorCode as PoolErrorCode
from resolvers.policies import VariableSource as Source


def _value(value: str, description: str) -> str:
    return strawberry.enum_value(value, description=description)  # type: ignore[return-value]


@strawberry.enum(description="Whether a job's work is handed out.")
class JobState(Enum):
    ACTIVE = _value("active", "Its variables are handed out to volunteers.")
    ARCHIVED = _value("archived", "Nothing more is handed out; what was computed stays.")


@strawberry.enum(description="Where a variable stands.")
class VariableState(Enum):
    NEW = _value("new", "Just stored; its tasks are being created.")
    OPEN = _value("open", "It wants results.")
    DONE = _value("done", "It has its canonical result.")
    FAILED = _value("failed", "Its policy's limits were reached without a canonical result.")
    CANCELLED = _value("cancelled", "Nobody wants it computed any more.")


@strawberry.enum(description="Where a task stands: READY, LEASED, then REPORTED, EXPIRED or CANCELLED.")
class TaskState(Enum):
    READY = _value("ready", "Waiting for a host.")
    LEASED = _value("leased", "A host is computing it.")
    REPORTING = _value("reporting", "A result has come and is being validated.")
    REPORTED = _value("reported", "Its result is stored and judged.")
    EXPIRING = _value("expiring", "Its lease ran out; a replacement is being arranged.")
    EXPIRED = _value("expired", "Its lease ran out without a result.")
    CANCELLED = _value("cancelled", "Its result is not needed any more.")


@strawberry.enum(description="What the pool thinks of a result.")
class Verdict(Enum):
    PENDING = _value("pending", "It waits for validation, or for more votes.")
    VALID = _value("valid", "It agrees with the canonical result.")
    INVALID = _value("invalid", "The validator turned it down, the computation failed, or it was outvoted.")
    INCONCLUSIVE = _value("inconclusive", "Results disagree, or it could not be voted on.")
    CANONICAL = _value("canonical", "It is the variable's result.")
    TOO_LATE = _value("too_late", "The variable was decided before it came.")


@strawberry.enum(description="Who may add variables to a job.")
class VariableSource(Enum):
    ANYONE = _value(Source.ANYONE, "Whoever can reach the pool.")
    OWNER = _value(Source.OWNER, "The job's owner only.")


@strawberry.enum(description="Why a claim came back without tasks.")
class WhyNoWork(Enum):
    DRAINING = _value(WhyNoWorkReason.DRAINING, "This server is stopping; another one answers soon.")
    NO_OPEN_WORK = _value(WhyNoWorkReason.NO_OPEN_WORK, "Every variable is computed or being computed.")
    NO_SUPPORTED_WORK = _value(
        WhyNoWorkReason.NO_SUPPORTED_WORK, "There is work, but not of the jobs and owners asked for."
    )
    WAITING_FOR_OTHER_HOSTS = _value(
        WhyNoWorkReason.WAITING_FOR_OTHER_HOSTS,
        "What is left needs votes of other hosts: this one has given its own.",
    )


@strawberry.enum(description="What kind of thing went wrong, for programs.")
class ErrorCode(Enum):
    BAD_INPUT = _value(PoolErrorCode.BAD_INPUT, "A value is not what its field takes.")
    UNPARSABLE_JAVASCRIPT = _value(
        PoolErrorCode.UNPARSABLE_JAVASCRIPT,
        "JavaScript that does not parse; the message has line and column.",
    )
    REJECTED = _value(PoolErrorCode.REJECTED, "The job's `validateResult` turned the value down.")
    NOT_FOUND = _value(PoolErrorCode.NOT_FOUND, "There is nothing under this name.")
    ALREADY_EXISTS = _value(PoolErrorCode.ALREADY_EXISTS, "The name is taken.")
    CONFLICT = _value(PoolErrorCode.CONFLICT, "This can't be done in the present state.")
    IDEMPOTENCY_MISMATCH = _value(
        PoolErrorCode.IDEMPOTENCY_MISMATCH, "The idempotency key came before with another body."
    )
    LEASE_LOST = _value(PoolErrorCode.LEASE_LOST, "The lease ran out, was released, or is another host's.")
    UNAUTHENTICATED = _value(PoolErrorCode.UNAUTHENTICATED, "A token is missing, unknown or revoked.")
    FORBIDDEN = _value(PoolErrorCode.FORBIDDEN, "The token does not cover this.")
    RATE_LIMITED = _value(PoolErrorCode.RATE_LIMITED, "Too many requests.")
    TOO_LARGE = _value(PoolErrorCode.TOO_LARGE, "More bytes than the pool takes in one value.")
    IN_PROGRESS = _value(PoolErrorCode.IN_PROGRESS, "The same request is still being carried out.")
    UNAVAILABLE = _value(PoolErrorCode.UNAVAILABLE, "The pool can't answer now; try again.")
    INTERNAL = _value(PoolErrorCode.INTERNAL, "A fault of the pool; its log says more.")
