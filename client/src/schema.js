// Written by `make reference` from the pool's schema: change that, not this file.

/** What kind of thing went wrong, for programs. */
export const ErrorCode = Object.freeze({
  BAD_INPUT: "BAD_INPUT",
  UNPARSABLE_JAVASCRIPT: "UNPARSABLE_JAVASCRIPT",
  REJECTED: "REJECTED",
  NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  CONFLICT: "CONFLICT",
  IDEMPOTENCY_MISMATCH: "IDEMPOTENCY_MISMATCH",
  LEASE_LOST: "LEASE_LOST",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  FORBIDDEN: "FORBIDDEN",
  RATE_LIMITED: "RATE_LIMITED",
  QUOTA: "QUOTA",
  TOO_LARGE: "TOO_LARGE",
  IN_PROGRESS: "IN_PROGRESS",
  UNAVAILABLE: "UNAVAILABLE",
  INTERNAL: "INTERNAL",
});

/** Where a level or a job of a flow stands. The last four are final, until a retry. */
export const FlowNodeState = Object.freeze({
  WAITING: "WAITING",
  QUEUED: "QUEUED",
  RUNNING: "RUNNING",
  COMPLETED: "COMPLETED",
  FAILED: "FAILED",
  SKIPPED: "SKIPPED",
  CANCELLED: "CANCELLED",
});

/** Where one run of a flow's job stands. */
export const FlowRunState = Object.freeze({
  NEW: "NEW",
  OPEN: "OPEN",
  DONE: "DONE",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
});

/** Where a flow stands. The last three are final, until its owner retries it. */
export const FlowState = Object.freeze({
  PENDING: "PENDING",
  RUNNING: "RUNNING",
  PAUSED: "PAUSED",
  CANCELLING: "CANCELLING",
  COMPLETED: "COMPLETED",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
});

/** Whether a job's work is handed out. */
export const JobState = Object.freeze({
  ACTIVE: "ACTIVE",
  ARCHIVED: "ARCHIVED",
});

/** What the pool's operator thinks of a job. */
export const Review = Object.freeze({
  PENDING: "PENDING",
  APPROVED: "APPROVED",
  REJECTED: "REJECTED",
});

/** Where a task stands: READY, LEASED, then REPORTED, EXPIRED or CANCELLED. */
export const TaskState = Object.freeze({
  READY: "READY",
  HELD: "HELD",
  LEASED: "LEASED",
  REPORTING: "REPORTING",
  REPORTED: "REPORTED",
  EXPIRING: "EXPIRING",
  EXPIRED: "EXPIRED",
  CANCELLED: "CANCELLED",
});

/** Where a variable stands. */
export const VariableState = Object.freeze({
  NEW: "NEW",
  OPEN: "OPEN",
  DONE: "DONE",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
});

/** Who may read what belongs to a job or a flow. */
export const Visibility = Object.freeze({
  PUBLIC: "PUBLIC",
  PRIVATE: "PRIVATE",
});

/** What the pool thinks of a result. */
export const Verdict = Object.freeze({
  PENDING: "PENDING",
  VALID: "VALID",
  INVALID: "INVALID",
  INCONCLUSIVE: "INCONCLUSIVE",
  CANONICAL: "CANONICAL",
  TOO_LATE: "TOO_LATE",
});

/** A kind of reason to wait. */
export const WaitKind = Object.freeze({
  PAUSED: "PAUSED",
  CANCELLING: "CANCELLING",
  LEVEL: "LEVEL",
  STARTING: "STARTING",
  NO_VOLUNTEER: "NO_VOLUNTEER",
  REVIEW: "REVIEW",
  ARCHIVED: "ARCHIVED",
  NO_SUPPORTER: "NO_SUPPORTER",
  NO_OTHER_VOLUNTEER: "NO_OTHER_VOLUNTEER",
  QUEUE: "QUEUE",
  COMPUTING: "COMPUTING",
  JUDGING: "JUDGING",
  VOTES: "VOTES",
  FAILURES: "FAILURES",
});

/** Why a claim came back without tasks. */
export const WhyNoWork = Object.freeze({
  DRAINING: "DRAINING",
  NO_OPEN_WORK: "NO_OPEN_WORK",
  NO_SUPPORTED_WORK: "NO_SUPPORTED_WORK",
  WAITING_FOR_OTHER_HOSTS: "WAITING_FOR_OTHER_HOSTS",
  BLOCKED: "BLOCKED",
});

/** The codes of errors after which the same call may work later. @type {ReadonlySet<string>} */
export const TEMPORARY = new Set([
  ErrorCode.RATE_LIMITED,
  ErrorCode.IN_PROGRESS,
  ErrorCode.UNAVAILABLE,
  ErrorCode.INTERNAL,
]);

/** The states of a flow that has ended. @type {ReadonlySet<string>} */
export const ENDED_FLOW_STATES = new Set([FlowState.COMPLETED, FlowState.FAILED, FlowState.CANCELLED]);

/** The states of a level or a job of a flow that has ended. @type {ReadonlySet<string>} */
export const ENDED_NODE_STATES = new Set([
  FlowNodeState.COMPLETED,
  FlowNodeState.FAILED,
  FlowNodeState.SKIPPED,
  FlowNodeState.CANCELLED,
]);

/** The most tasks that `claimTasks` leases. */
export const TASKS_PER_CLAIM = 100;

/** The most jobs, or owners, that `claimTasks` takes. */
export const JOBS_PER_CLAIM = 100;

/** The most tasks that `extendLease` and `releaseTasks` take. */
export const TASKS_PER_CALL = 100;

/** The most results that `submitResults` takes. */
export const RESULTS_PER_CALL = 100;

/** The most variables that `createVariables` takes. */
export const VARIABLES_PER_CALL = 10_000;

/** The most nodes that a connection returns. */
export const NODES_PER_PAGE = 100;

/** The most bytes of a value, as JSON in UTF-8. */
export const VALUE_BYTES = 1_000_000;

/** The most characters of an error that are kept. */
export const ERROR_CHARACTERS = 500;

/** The most bytes of a request's body. */
export const REQUEST_BYTES = 32_000_000;
