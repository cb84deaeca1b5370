"""The pool's enums as GraphQL shows them."""

from __future__ import annotations

from enum import Enum

import strawberry

from resolvers.access.principals import Scope as StoredScope
from resolvers.access.visibility import Visibility as StoredVisibility
from resolvers.documents import Blocked as BlockedKind
from resolvers.documents import Review as JobReview
from resolvers.errors import ErrorCode as PoolErrorCode
from resolvers.units.policies import VariableSource as Source
from resolvers.volunteers.claims import WhyNoWork as WhyNoWorkReason


def described(value: str, description: str) -> str:
    """A member of an enum with what it means."""
    return strawberry.enum_value(value, description=description)  # type: ignore[return-value]


@strawberry.enum(description="Whether a job's work is handed out.")
class JobState(Enum):
    ACTIVE = described("active", "Its variables are handed out to volunteers.")
    ARCHIVED = described("archived", "Nothing more is handed out; what was computed stays.")


@strawberry.enum(description="What the pool's operator thinks of a job.")
class Review(Enum):
    PENDING = described(
        JobReview.PENDING, "It waits for approval: its work is not handed out, and none of its functions is called."
    )
    APPROVED = described(JobReview.APPROVED, "Its work is handed out, as its state says.")
    REJECTED = described(JobReview.REJECTED, "It was archived, for the `reviewReason`.")


@strawberry.enum(description="Where a variable stands.")
class VariableState(Enum):
    NEW = described("new", "Just stored; its tasks are being created.")
    OPEN = described("open", "It wants results.")
    DONE = described("done", "It has its canonical result.")
    FAILED = described("failed", "Its policy's limits were reached without a canonical result.")
    CANCELLED = described("cancelled", "Nobody wants it computed any more.")


@strawberry.enum(description="Where a task stands: READY, LEASED, then REPORTED, EXPIRED or CANCELLED.")
class TaskState(Enum):
    READY = described("ready", "Waiting for a host.")
    HELD = described("held", "Its flow is paused.")
    LEASED = described("leased", "A host is computing it.")
    REPORTING = described("reporting", "A result has come and is being validated.")
    REPORTED = described("reported", "Its result is stored and judged.")
    EXPIRING = described("expiring", "Its lease ran out; a replacement is being arranged.")
    EXPIRED = described("expired", "Its lease ran out without a result.")
    CANCELLED = described("cancelled", "Its result is not needed any more.")


@strawberry.enum(description="What the pool thinks of a result.")
class Verdict(Enum):
    PENDING = described("pending", "It waits for validation, or for more votes.")
    VALID = described("valid", "It agrees with the canonical result.")
    INVALID = described("invalid", "The validator turned it down, the computation failed, or it was outvoted.")
    INCONCLUSIVE = described("inconclusive", "Results disagree, or it could not be voted on.")
    CANONICAL = described("canonical", "It is the variable's result.")
    TOO_LATE = described("too_late", "The variable was decided before it came.")


@strawberry.enum(description="Who may add variables to a job.")
class VariableSource(Enum):
    ANYONE = described(Source.ANYONE, "Whoever can reach the pool.")
    OWNER = described(Source.OWNER, "The job's owner only.")


@strawberry.enum(description="Who may read what belongs to a job or a flow.")
class Visibility(Enum):
    PUBLIC = described(StoredVisibility.PUBLIC, "Everybody who reaches the pool.")
    PRIVATE = described(
        StoredVisibility.PRIVATE,
        "Its owner, by tokens with the scope READ or SUBMIT, and operators. A volunteer gets the source of the job's "
        "function, and the inputs that it is handed out.",
    )


@strawberry.enum(description="Why a claim came back without tasks.")
class WhyNoWork(Enum):
    DRAINING = described(WhyNoWorkReason.DRAINING, "This server is stopping; another one answers soon.")
    NO_OPEN_WORK = described(WhyNoWorkReason.NO_OPEN_WORK, "Every variable is computed or being computed.")
    NO_SUPPORTED_WORK = described(
        WhyNoWorkReason.NO_SUPPORTED_WORK, "There is work, but not of the jobs and owners asked for."
    )
    WAITING_FOR_OTHER_HOSTS = described(
        WhyNoWorkReason.WAITING_FOR_OTHER_HOSTS,
        "What is left needs votes of other hosts: this one has given its own.",
    )
    BLOCKED = described(
        WhyNoWorkReason.BLOCKED, "The pool's operator has blocked this host, or the network that it asks from."
    )


@strawberry.enum(description="What is blocked.")
class Blocked(Enum):
    HOST = described(BlockedKind.HOST, "One host.")
    ADDRESS_GROUP = described(BlockedKind.ADDRESS_GROUP, "All hosts that ask from a network.")


@strawberry.enum(description="What a token is good for.")
class Scope(Enum):
    SUBMIT = described(StoredScope.SUBMIT, "Submitting jobs, variables and flows of the own account, and its tokens.")
    READ = described(StoredScope.READ, "Reading what is the account's own, such as the list of its tokens.")
    COMPUTE = described(StoredScope.COMPUTE, "Computing as a machine of the account.")
    OPERATE = described(StoredScope.OPERATE, "Everything: operating the pool.")


@strawberry.enum(description="What kind of thing went wrong, for programs.")
class ErrorCode(Enum):
    BAD_INPUT = described(PoolErrorCode.BAD_INPUT, "A value is not what its field takes.")
    UNPARSABLE_JAVASCRIPT = described(
        PoolErrorCode.UNPARSABLE_JAVASCRIPT,
        "JavaScript that does not parse; the message has line and column.",
    )
    REJECTED = described(PoolErrorCode.REJECTED, "The job's `validateResult` turned the value down.")
    NOT_FOUND = described(PoolErrorCode.NOT_FOUND, "There is nothing under this name.")
    ALREADY_EXISTS = described(PoolErrorCode.ALREADY_EXISTS, "The name is taken.")
    CONFLICT = described(PoolErrorCode.CONFLICT, "This can't be done in the present state.")
    IDEMPOTENCY_MISMATCH = described(
        PoolErrorCode.IDEMPOTENCY_MISMATCH, "The idempotency key came before with another body."
    )
    LEASE_LOST = described(PoolErrorCode.LEASE_LOST, "The lease ran out, was released, or is another host's.")
    UNAUTHENTICATED = described(PoolErrorCode.UNAUTHENTICATED, "A token is missing, unknown, expired or revoked.")
    FORBIDDEN = described(PoolErrorCode.FORBIDDEN, "The token does not cover this, or it is of another account.")
    RATE_LIMITED = described(PoolErrorCode.RATE_LIMITED, "Too often: try again after `retryAfterSeconds`.")
    QUOTA = described(
        PoolErrorCode.QUOTA,
        "The account has as much in the pool as it may have, or has used as much of the sandbox in a minute as it may "
        "use: then `retryAfterSeconds` says when to come again. The message says how much of what.",
    )
    TOO_LARGE = described(PoolErrorCode.TOO_LARGE, "More bytes than the pool takes, or answers.")
    IN_PROGRESS = described(
        PoolErrorCode.IN_PROGRESS,
        "The same request is still being carried out, or what had the name is still being removed; try again.",
    )
    UNAVAILABLE = described(PoolErrorCode.UNAVAILABLE, "The pool can't do this now; try again.")
    INTERNAL = described(PoolErrorCode.INTERNAL, "A fault of the pool; its log says more.")
