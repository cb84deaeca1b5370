"""The states, error codes and limits of a pool.

Written by `make reference` from the pool's schema: change that, not this file.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """What kind of thing went wrong, for programs."""

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


class FlowNodeState(StrEnum):
    """Where a level or a job of a flow stands. The last four are final, until a retry."""

    WAITING = "WAITING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class FlowRunState(StrEnum):
    """Where one run of a flow's job stands."""

    NEW = "NEW"
    OPEN = "OPEN"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class FlowState(StrEnum):
    """Where a flow stands. The last three are final, until its owner retries it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class JobState(StrEnum):
    """Whether a job's work is handed out."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class Review(StrEnum):
    """What the pool's operator thinks of a job."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class TaskState(StrEnum):
    """Where a task stands: READY, LEASED, then REPORTED, EXPIRED or CANCELLED."""

    READY = "READY"
    HELD = "HELD"
    LEASED = "LEASED"
    REPORTING = "REPORTING"
    REPORTED = "REPORTED"
    EXPIRING = "EXPIRING"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class VariableState(StrEnum):
    """Where a variable stands."""

    NEW = "NEW"
    OPEN = "OPEN"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Visibility(StrEnum):
    """Who may read what belongs to a job or a flow."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


class Verdict(StrEnum):
    """What the pool thinks of a result."""

    PENDING = "PENDING"
    VALID = "VALID"
    INVALID = "INVALID"
    INCONCLUSIVE = "INCONCLUSIVE"
    CANONICAL = "CANONICAL"
    TOO_LATE = "TOO_LATE"


class WaitKind(StrEnum):
    """A kind of reason to wait."""

    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    LEVEL = "LEVEL"
    STARTING = "STARTING"
    NO_VOLUNTEER = "NO_VOLUNTEER"
    REVIEW = "REVIEW"
    ARCHIVED = "ARCHIVED"
    NO_SUPPORTER = "NO_SUPPORTER"
    NO_OTHER_VOLUNTEER = "NO_OTHER_VOLUNTEER"
    QUEUE = "QUEUE"
    COMPUTING = "COMPUTING"
    JUDGING = "JUDGING"
    VOTES = "VOTES"
    FAILURES = "FAILURES"


class WhyNoWork(StrEnum):
    """Why a claim came back without tasks."""

    DRAINING = "DRAINING"
    NO_OPEN_WORK = "NO_OPEN_WORK"
    NO_SUPPORTED_WORK = "NO_SUPPORTED_WORK"
    WAITING_FOR_OTHER_HOSTS = "WAITING_FOR_OTHER_HOSTS"
    BLOCKED = "BLOCKED"


TEMPORARY = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.IN_PROGRESS,
        ErrorCode.UNAVAILABLE,
        ErrorCode.INTERNAL,
    }
)
"""The codes of errors after which the same call may work later."""

ENDED_FLOW_STATES = frozenset(
    {
        FlowState.COMPLETED,
        FlowState.FAILED,
        FlowState.CANCELLED,
    }
)
"""The states of a flow that has ended."""

ENDED_NODE_STATES = frozenset(
    {
        FlowNodeState.COMPLETED,
        FlowNodeState.FAILED,
        FlowNodeState.SKIPPED,
        FlowNodeState.CANCELLED,
    }
)
"""The states of a level or a job of a flow that has ended."""

TASKS_PER_CLAIM = 100
"""The most tasks that `claimTasks` leases."""

JOBS_PER_CLAIM = 100
"""The most jobs, or owners, that `claimTasks` takes."""

TASKS_PER_CALL = 100
"""The most tasks that `extendLease` and `releaseTasks` take."""

RESULTS_PER_CALL = 100
"""The most results that `submitResults` takes."""

VARIABLES_PER_CALL = 10_000
"""The most variables that `createVariables` takes."""

NODES_PER_PAGE = 100
"""The most nodes that a connection returns."""

VALUE_BYTES = 1_000_000
"""The most bytes of a value, as JSON in UTF-8."""

ERROR_CHARACTERS = 500
"""The most characters of an error that are kept."""

REQUEST_BYTES = 32_000_000
"""The most bytes of a request's body."""
