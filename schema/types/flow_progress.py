"""How far a flow is, and what it waits for."""

from __future__ import annotations

import strawberry

from resolvers.flows import progress, waiting
from schema.types.flow_states import WaitKind


@strawberry.type(description="Why something is not done yet.")
class WaitReason:
    kind: WaitKind = strawberry.field(description="The kind of reason, for programs.")
    message: str = strawberry.field(description="The reason in words.")
    count: int = strawberry.field(description="What is counted: missing votes, levels, tasks, jobs in the queue.")
    exact: bool = strawberry.field(
        description="Whether all are counted. False: of many jobs that hosts have taken only some were looked at."
    )

    @classmethod
    def of(cls, wait: waiting.Wait) -> WaitReason:
        return cls(kind=WaitKind(wait.kind.value), message=wait.message, count=wait.count, exact=wait.exact)


@strawberry.type(description="How many leaves are in each state. They sum to `FlowProgress.total`.")
class LeafCounts:
    waiting: int = strawberry.field(description="Whose turn has not come.")
    queued: int = strawberry.field(description="That wait for a host.")
    running: int = strawberry.field(description="That a host has taken.")
    completed: int = strawberry.field(description="That have a result.")
    failed: int = strawberry.field(description="That failed.")
    skipped: int = strawberry.field(description="Whose `if` did not hold.")
    cancelled: int = strawberry.field(description="That were cancelled.")


@strawberry.type(
    description="How far a flow or a level is, over its leaves: each run of a job is one, and each job that never ran."
)
class FlowProgress:
    total: int = strawberry.field(description="Leaves so far; every further run of a `while` adds one.")
    by_state: LeafCounts = strawberry.field(description="Leaves by state.")
    fraction: float = strawberry.field(description="Share of the leaves that have ended, 0 to 1.")
    throughput: float = strawberry.field(
        description="Leaves a second that hosts computed in the last minute, or in all of its time once it has ended."
    )
    eta_seconds: float | None = strawberry.field(
        description="What is left at that throughput, in seconds; null while nothing is computed."
    )

    @classmethod
    def of(cls, at: progress.Progress) -> FlowProgress:
        counts = {state.value: count for state, count in at.by_state.items()}
        return cls(
            total=at.total,
            by_state=LeafCounts(**counts),
            fraction=at.fraction,
            throughput=at.throughput,
            eta_seconds=at.eta_s,
        )
