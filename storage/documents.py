"""What the pool stores: one flat dataclass a collection.

Every field is a scalar or a dict of scalars, times are integer milliseconds since the epoch, JSON that users
brought is kept as the text it arrived in, and an absent value is `""` or `0`: the safe subset on which every engine
agrees. `id` travels as `_id`; `seq` is a time-ordered copy of it that lists page by.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self


class JobState(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class UnitState(StrEnum):
    """Where a unit of work stands. NEW: its tasks are still being created. OPEN: it wants results."""

    NEW = "new"
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """READY -> LEASED -> REPORTED | EXPIRED | CANCELLED.

    REPORTING and EXPIRING are the same end states before all that follows from them (verdicts, replacement
    tasks) is stored: a crash in between leaves the task there, and the sweeper carries it through.
    """

    READY = "ready"
    HELD = "held"
    """As READY, but its flow is paused."""
    LEASED = "leased"
    REPORTING = "reporting"
    REPORTED = "reported"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"
    CANONICAL = "canonical"
    TOO_LATE = "too_late"


class FlowState(StrEnum):
    """NEW: still being stored. CANCELLING: `ending` is the state that follows once all of it is cancelled."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NodeState(StrEnum):
    """Where a level or a job of a flow stands. The last four absorb."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class LaneKind(StrEnum):
    """Which work a lane holds. Flow runs go before standing variables."""

    FLOW = "flow"
    VARIABLES = "variables"

    @staticmethod
    def of(unit_id: str) -> LaneKind:
        return LaneKind.FLOW if unit_id.startswith("run:") else LaneKind.VARIABLES


@dataclass(slots=True, kw_only=True)
class Document:
    id: str

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """The document of what a collection answered. Fields that a newer minor version added are ignored."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        return cls(id=stored["_id"], **known)

    def dump(self) -> dict[str, Any]:
        """What a collection stores."""
        stored = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"_id": stored.pop("id"), **stored}


@dataclass(slots=True, kw_only=True)
class Job(Document):
    """Named code and its policy. Changes rarely: what moves is in the job's lanes."""

    key: str
    name: str
    seq: str
    owner: str = ""
    state: str = JobState.ACTIVE
    created_at: int
    updated_at: int
    execute_function: str
    execute_body: str
    """`execute_function` as the body of a function over `variable, context`: what legacy clients compile."""
    sha256: str
    validate_result: str = ""
    variable_scheduler: str = ""
    compare_results: str = ""
    metadata: str = "{}"
    policy: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""
    request: str = ""
    """A digest of the request that made it, if that had an idempotency key."""
    scheduler_problem: str = ""
    """Why the variable scheduler fell back to random the last time, or empty."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"job:{key}"


@dataclass(slots=True, kw_only=True)
class Unit(Document):
    """Something to be computed: the target of tasks and of a quorum (BOINC calls it a workunit)."""

    job: str
    value: str
    """The input, as JSON text."""
    context: str = "{}"
    """The context the job's function gets beside it, as JSON text."""
    seq: str
    rand: float
    state: str = UnitState.NEW
    due: int
    """When the sweeper takes over a unit that is still NEW."""
    created_at: int
    finished_at: int = 0
    total: int = 0
    """How many tasks it has; the last ones may still be on their way into the store."""
    unsolicited: int = 0
    """How many results came for it without a lease."""
    canonical: str = ""
    """The number of the task whose result is the canonical one."""
    decided_by: str = ""
    """What the call that decided it was known by."""
    reason: str = ""
    policy: dict[str, Any] = field(default_factory=dict)
    """The policy in force where it is not the job's."""
    flow: str = ""
    """The flow it is computed for, or empty."""


@dataclass(slots=True, kw_only=True)
class Variable(Unit):
    """One standing input of a job."""

    key: str
    """Its name within the job."""
    request: str = ""
    """A digest of the request that made it, if that had an idempotency key."""

    @staticmethod
    def id_of(job: str, key: str) -> str:
        return f"var:{job}:{key}"


@dataclass(slots=True, kw_only=True)
class Run(Unit):
    """One execution of a flow's job: the next one of a `while`, or after a retry, is another run."""

    level: str
    flow_job: str
    variable: str
    """Key of the variable whose value it computes; empty where the job has none."""
    bare: str
    """The same where the context is empty, so that a client which knows of variables only can compute it."""
    iteration: int
    generation: int

    @staticmethod
    def id_of(flow_job: FlowJob) -> str:
        _, flow, number = flow_job.id.split(":")
        return f"run:{flow}:{number}:{flow_job.generation}.{flow_job.iteration}"


@dataclass(slots=True, kw_only=True)
class Task(Document):
    """One replica of a unit, to be computed by one host."""

    unit: str
    job: str
    lane: str
    flow: str = ""
    number: str
    seq: str
    rand: float
    status: str = TaskState.READY
    host: str = ""
    lease: str = ""
    attempt: int = 0
    leased_at: int = 0
    until: int = 0
    """The lease's deadline; of any other task, when the sweeper sees to it, 0 for never."""
    created_at: int

    @staticmethod
    def id_of(unit: str, number: str | int) -> str:
        return f"{unit}:{number}"

    @staticmethod
    def split(task_id: str) -> tuple[str, str]:
        """The unit's id and the number of a task's id."""
        unit, _, number = task_id.rpartition(":")
        return unit, number


@dataclass(slots=True, kw_only=True)
class Result(Document):
    """What one host reported for one task; it carries its task's id."""

    unit: str
    job: str
    number: str
    host: str
    seq: str
    value: str = ""
    """JSON text: what the job's validator made of the reported value, or the value itself."""
    context: str = ""
    """JSON text of the returned context without its `result`, or empty."""
    digest: str = ""
    """SHA-256 of the canonical JSON that votes are compared by; empty for one that cannot vote."""
    error: str = ""
    elapsed_ms: int = 0
    verdict: str = Verdict.PENDING
    reason: str = ""
    unsolicited: bool = False
    second_vote: bool = False
    """Its host has a vote on the unit already: this one does not count."""
    judged_by: str = ""
    """What the call that set its verdict was known by: it alone gives the host credit."""
    created_at: int

    @property
    def waits_for_validator(self) -> bool:
        """Stored while `validate_result` could not be asked: its task stays REPORTING until the sweeper asks again."""
        return self.verdict == Verdict.PENDING and not self.digest


@dataclass(slots=True, kw_only=True)
class Host(Document):
    """A volunteer's client. The counters are for display and for trust, never for a unit's state."""

    seq: str
    name: str = ""
    created_at: int
    seen_at: int
    valid: int = 0
    invalid: int = 0
    failed: int = 0
    streak: int = 0
    """Valid results since the last invalid one: what `adaptive` trusts."""
    elapsed_ms: int = 0
    claimed_at: int
    """When it asked for work the last time, give or take half a minute."""
    owners: list[str] = field(default_factory=list)
    """The owners it supports; empty: all."""
    jobs: list[str] = field(default_factory=list)
    """The jobs it computes; empty: all."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"host:{key}"

    @property
    def key(self) -> str:
        return self.id.removeprefix("host:")


@dataclass(slots=True, kw_only=True)
class Lane(Document):
    """The queue of one job's tasks of one kind, and whether it may hold ready ones.

    `open` is set whenever a task becomes ready, after the task is stored, and `wake` counts those times. A claim
    that finds nothing closes the lane only while `wake` is what it was before it looked, so that no task is
    ever ready behind a closed lane.
    """

    job: str
    kind: str
    owner: str = ""
    open: bool = True
    wake: int = 1
    oldest_at: int
    """Since when it has work, in ms; of a closed one later than any time."""
    run_ms: float = 0.0
    """Observed run time of the job (exponential moving average), 0 where nothing is known."""

    @staticmethod
    def id_of(job: str, kind: LaneKind) -> str:
        return f"lane:{kind}:{job}"

    @staticmethod
    def job_of(lane_id: str) -> str:
        return lane_id.split(":", 2)[2]


@dataclass(slots=True, kw_only=True)
class Assignment(Document):
    """That a host has a replica of a unit. Its id is unique: no host gets two."""

    task: str
    lease: str

    @staticmethod
    def id_of(unit: str, host: str) -> str:
        return f"{unit}@{host}"


@dataclass(slots=True, kw_only=True)
class Flow(Document):
    """A tree of jobs that was submitted as one."""

    key: str
    seq: str
    name: str = ""
    owner: str = ""
    state: str = FlowState.NEW
    ended: bool = False
    ending: str = ""
    reason: str = ""
    on_failure: str
    generation: int = 0
    """How often it was retried."""
    jobs: int
    levels: int
    lanes: list[str]
    """The lanes its tasks wait in."""
    digest: str
    """SHA-256 of the submitted structure: the same idempotency key with another one is a conflict."""
    result: str = ""
    rev: str = ""
    due: int
    """When the sweeper looks whether what the flow is in the middle of was left half-way; 0: never."""
    created_at: int
    finished_at: int = 0

    @staticmethod
    def id_of(key: str) -> str:
        return f"flow:{key}"


@dataclass(slots=True, kw_only=True)
class Level(Document):
    """A level of a flow: jobs that run in parallel, after the levels it depends on have ended."""

    flow: str
    seq: str
    number: int
    parent: str
    """The level that depends on this one; empty for the root."""
    position: int
    """Its place among the levels that its parent depends on."""
    depth: int
    dependents: int
    jobs: int
    state: str = NodeState.WAITING
    ended: bool = False
    reason: str = ""
    context: str = ""
    """What its jobs get, as JSON text; empty until the levels below have ended."""
    merged: str = ""
    """What its jobs made together, as JSON text; empty until it has ended."""
    generation: int = 0
    rev: str = ""
    due: int = 0
    started_at: int = 0
    finished_at: int = 0

    @staticmethod
    def id_of(flow_key: str, number: int) -> str:
        return f"level:{flow_key}:{number}"


@dataclass(slots=True, kw_only=True)
class FlowJob(Document):
    """One job at its place in a flow."""

    flow: str
    level: str
    seq: str
    number: int
    position: int
    """Its place in its level."""
    job: str
    variable: str
    """Key of the variable it was given or, once it started, of the one that was picked."""
    condition: str = ""
    """The source of its `if`."""
    repeat: str = ""
    """The source of its `while`."""
    alias: str
    """The name its result is merged under where that is not an object."""
    policy: dict[str, Any]
    replicas: int
    """How many tasks each of its runs starts with."""
    state: str = NodeState.WAITING
    ended: bool = False
    reason: str = ""
    iteration: int = 0
    """How many runs it completed before the present one."""
    generation: int = 0
    value: str = ""
    """Its result as JSON text once it is completed."""
    one: int = 1
    """Always 1: sums of it count."""
    rev: str = ""
    due: int = 0
    started_at: int = 0
    finished_at: int = 0

    @staticmethod
    def id_of(flow_key: str, number: int) -> str:
        return f"fjob:{flow_key}:{number}"


@dataclass(slots=True, kw_only=True)
class Request(Document):
    """A request that came with an idempotency key, and what it was answered."""

    token: str
    """Who carries it out, or did."""
    digest: str
    """SHA-256 of what it said."""
    answer: str = ""
    """Empty while it is carried out."""
    due: int
    """When it is forgotten: a while after it was answered, or sooner where whoever carried it out died."""
    created_at: int
