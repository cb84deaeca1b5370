"""Flows: trees of jobs that owners submit and dashboards watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import jobs
from resolvers.documents import Flow as FlowDocument
from resolvers.documents import FlowJob as FlowJobDocument
from resolvers.documents import FlowState as StoredFlowState
from resolvers.documents import Level as LevelDocument
from resolvers.documents import NodeState as StoredNodeState
from resolvers.documents import Run as RunDocument
from resolvers.flows import control, critical_path, progress, reading, submission, waiting, watching
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.json_text import JsonText
from schema.connections import After, Connection, First, connection, page_size
from schema.context import PoolInfo
from schema.directives import Hal, HalField, HalMethod, HalRole
from schema.enums import described
from schema.nodes import Node, global_id, key_or_reference
from schema.payloads import Payload, UserErrors
from schema.policies import PolicyInput
from schema.results import Result
from schema.tasks import Task
from schema.times import moment, moment_or_none

if TYPE_CHECKING:
    from schema.jobs import Job

HIDDEN = HalField(hidden=True)


@strawberry.enum(description="Where a flow stands. The last three are final.")
class FlowState(Enum):
    PENDING = described("new", "It is being stored.")
    RUNNING = described("running", "Its jobs are handed out as their turn comes.")
    PAUSED = described("paused", "Nothing of it is handed out; what is under way may be reported.")
    CANCELLING = described("cancelling", "What has not ended is being cancelled.")
    COMPLETED = described("completed", "It has its result.")
    FAILED = described("failed", "A job failed, and the flow with it.")
    CANCELLED = described("cancelled", "Its owner ended it.")


@strawberry.enum(description="Where a level or a job of a flow stands. The last four are final.")
class FlowNodeState(Enum):
    WAITING = described("waiting", "Its turn has not come.")
    QUEUED = described("queued", "It waits for a host.")
    RUNNING = described("running", "A host has taken it.")
    COMPLETED = described("completed", "It has its result.")
    FAILED = described("failed", "It can't be computed; `reason` says why.")
    SKIPPED = described("skipped", "Its `if` did not hold.")
    CANCELLED = described("cancelled", "The flow ended before it did.")


@strawberry.enum(description="What the failure of one job means for its flow.")
class OnFailure(Enum):
    FAIL = described("FAIL", "The flow fails, and the rest of it is cancelled.")
    CONTINUE = described("CONTINUE", "The job adds nothing to its level, and the flow goes on.")


@strawberry.enum(description="A kind of reason to wait.")
class WaitKind(Enum):
    PAUSED = described("PAUSED", "The flow is paused.")
    CANCELLING = described("CANCELLING", "The flow is being cancelled.")
    LEVEL = described("LEVEL", "Levels that it depends on have not ended.")
    STARTING = described("STARTING", "It is about to start.")
    NO_VOLUNTEER = described("NO_VOLUNTEER", "No volunteer has asked for work lately.")
    NO_SUPPORTER = described("NO_SUPPORTER", "No volunteer supports this job or its owner.")
    QUEUE = described("QUEUE", "It is in the queue for a volunteer.")
    COMPUTING = described("COMPUTING", "Hosts are computing it.")
    VOTES = described("VOTES", "More equal results are needed.")


@strawberry.type(description="Why something is not done yet.")
class WaitReason:
    kind: WaitKind = strawberry.field(description="The kind of reason, for programs.")
    message: str = strawberry.field(description="The reason in words.")
    count: int = strawberry.field(description="What is counted: missing votes, levels, hosts, jobs in the queue.")

    @classmethod
    def of(cls, wait: waiting.Wait) -> WaitReason:
        return cls(kind=WaitKind(wait.kind.value), message=wait.message, count=wait.count)


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
    throughput: float = strawberry.field(description="Jobs that ended a second, over the last minute.")
    eta_seconds: float | None = strawberry.field(
        description="What is left at that throughput, in seconds; null while nothing ends."
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


@strawberry.type(description="One run of a flow's job: the `while` of a job makes several.")
class FlowRun(Node):
    document: strawberry.Private[RunDocument]
    iteration: int = strawberry.field(description="How many runs the job had completed before.")
    context: JsonText = strawberry.field(description="What the job's function got beside the variable.")
    variable: JsonText = strawberry.field(description="The variable's value.")
    reason: str | None = strawberry.field(description="Why it failed or was cancelled.")
    created_at: datetime = strawberry.field(description="When it was queued.")
    finished_at: datetime | None = strawberry.field(description="When it was decided.")

    @classmethod
    def of(cls, run: RunDocument) -> FlowRun:
        return cls(
            id=global_id("FlowRun", run.id),
            document=run,
            iteration=run.iteration,
            context=JsonText(run.context),
            variable=JsonText(run.value),
            reason=run.reason or None,
            created_at=moment(run.created_at),
            finished_at=moment_or_none(run.finished_at),
        )

    @strawberry.field(description="What hosts reported for it, with verdicts.")
    async def results(self, info: PoolInfo) -> list[Result]:
        found = await reading.run_results(info.context.runtime, self.document)
        return [Result.of(each) for each in found]

    @strawberry.field(description="Its tasks: which host has it, and until when.")
    async def tasks(self, info: PoolInfo) -> list[Task]:
        found = await reading.run_tasks(info.context.runtime, self.document)
        return [Task.of(each) for each in found]


@strawberry.type(description="One job at its place in a flow.")
class FlowJob(Node):
    document: strawberry.Private[FlowJobDocument]
    number: int = strawberry.field(description="Its number within the flow, in the order of the submitted text.")
    job_key: str = strawberry.field(description="Key of the job.")
    variable_key: str | None = strawberry.field(
        description="Id of its variable; null until one is picked, or if the job has none."
    )
    alias: str = strawberry.field(name="as", description="The name its result gets where that is not an object.")
    condition: str | None = strawberry.field(name="if", description="Source of its `if`.")
    repeat: str | None = strawberry.field(name="while", description="Source of its `while`.")
    state: FlowNodeState = strawberry.field(description="Where it stands.")
    reason: str | None = strawberry.field(description="Why it failed, was skipped or cancelled.")
    iteration: int = strawberry.field(description="How many runs it completed before the present one.")
    result: JsonText | None = strawberry.field(description="Its result once it is completed.")
    started_at: datetime | None = strawberry.field(description="When its turn came.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, each: FlowJobDocument) -> FlowJob:
        return cls(
            id=global_id("FlowJob", f"{each.flow.partition(':')[2]}/{each.number}"),
            document=each,
            number=each.number,
            job_key=each.job,
            variable_key=each.variable or None,
            alias=each.alias,
            condition=each.condition or None,
            repeat=each.repeat or None,
            state=FlowNodeState(each.state),
            reason=each.reason or None,
            iteration=each.iteration,
            result=JsonText(each.value) if each.value else None,
            started_at=moment_or_none(each.started_at),
            finished_at=moment_or_none(each.finished_at),
        )

    @strawberry.field(description="The job whose function it runs.")
    async def job(self, info: PoolInfo) -> Annotated[Job, strawberry.lazy("schema.jobs")]:
        from schema.jobs import Job  # noqa: PLC0415 - the two types name each other

        return Job.of(await jobs.get(info.context.runtime, self.job_key))

    @strawberry.field(description="Its runs, the first one first.")
    async def runs(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[FlowRun]:
        found = await reading.runs_page(
            info.context.runtime, self.document, first=page_size(first) + 1, after=after or ""
        )
        return connection(found, first, node=FlowRun.of, cursor=lambda each: each.seq, after=after)

    @strawberry.field(description="Why it has not ended; empty once it has.")
    async def why_waiting(self, info: PoolInfo) -> list[WaitReason]:
        runtime = info.context.runtime
        flow = await reading.get(runtime, self.document.flow.partition(":")[2])
        return [WaitReason.of(each) for each in await waiting.why_job(runtime, flow, self.document)]


@strawberry.type(description="A level of a flow: jobs that run in parallel once the levels below have ended.")
class FlowLevel(Node):
    document: strawberry.Private[LevelDocument]
    number: int = strawberry.field(description="Its number within the flow; 0 is the root.")
    depth: int = strawberry.field(description="How many levels are above it.")
    state: FlowNodeState = strawberry.field(description="Where it stands.")
    reason: str | None = strawberry.field(description="Why it failed or was cancelled.")
    context: JsonText | None = strawberry.field(description="What its jobs get; null until the levels below ended.")
    merged: JsonText | None = strawberry.field(description="What its jobs made together; null until it ended.")
    job_count: int = strawberry.field(description="How many jobs it has.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, level: LevelDocument) -> FlowLevel:
        return cls(
            id=global_id("FlowLevel", f"{level.flow.partition(':')[2]}/{level.number}"),
            document=level,
            number=level.number,
            depth=level.depth,
            state=FlowNodeState(level.state),
            reason=level.reason or None,
            context=JsonText(level.context) if level.context else None,
            merged=JsonText(level.merged) if level.merged else None,
            job_count=level.jobs,
            started_at=moment_or_none(level.started_at),
            finished_at=moment_or_none(level.finished_at),
        )

    @strawberry.field(description="Its jobs in order.")
    async def jobs(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[FlowJob]:
        found = await reading.level_jobs_page(
            info.context.runtime, self.document, first=page_size(first) + 1, after=after or ""
        )
        return connection(found, first, node=FlowJob.of, cursor=lambda each: str(each.position), after=after)

    @strawberry.field(description="The levels it depends on, in order.")
    async def dependent(self, info: PoolInfo) -> list[FlowLevel]:
        found = await reading.levels_below(info.context.runtime, self.document)
        return [FlowLevel.of(each) for each in found]

    @strawberry.field(description="How far its own jobs are.")
    async def progress(self, info: PoolInfo) -> FlowProgress:
        return FlowProgress.of(await progress.of_level(info.context.runtime, self.document))


@strawberry.type(description="The chain of levels that decides how long a flow still takes.")
class CriticalPath:
    levels: list[FlowLevel] = strawberry.field(description="From the first level that has not ended to the root.")
    seconds: float | None = strawberry.field(
        description="How long they take at the observed run times; null while none is known."
    )


@strawberry.type(description="A tree of jobs that was submitted as one.")
class Flow(Node):
    document: strawberry.Private[FlowDocument]
    key: str = strawberry.field(description="Its place in URLs.")
    name: str | None = strawberry.field(description="What its owner calls it.")
    owner: str | None = strawberry.field(description="Who submitted it.")
    state: FlowState = strawberry.field(description="Where it stands.")
    reason: str | None = strawberry.field(description="Why it failed or was cancelled.")
    result: JsonText | None = strawberry.field(description="What its root level made; null until it is COMPLETED.")
    on_failure: OnFailure = strawberry.field(description="What the failure of one job means.")
    generation: int = strawberry.field(description="How often it was retried.")
    job_count: int = strawberry.field(description="How many jobs it has.")
    level_count: int = strawberry.field(description="How many levels it has.")
    created_at: datetime = strawberry.field(description="When it was submitted.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, flow: FlowDocument) -> Flow:
        return cls(
            id=global_id("Flow", flow.key),
            document=flow,
            key=flow.key,
            name=flow.name or None,
            owner=flow.owner or None,
            state=FlowState(flow.state),
            reason=flow.reason or None,
            result=JsonText(flow.result) if flow.result else None,
            on_failure=OnFailure(flow.on_failure),
            generation=flow.generation,
            job_count=flow.jobs,
            level_count=flow.levels,
            created_at=moment(flow.created_at),
            finished_at=moment_or_none(flow.finished_at),
        )

    @strawberry.field(description="How far it is.")
    async def progress(self, info: PoolInfo) -> FlowProgress:
        return FlowProgress.of(await progress.of_flow(info.context.runtime, self.document))

    @strawberry.field(description="All its jobs, flat, in the order of the submitted text.")
    async def nodes(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        state: Annotated[FlowNodeState | None, strawberry.argument(description="Only jobs in this state.")] = None,
    ) -> Connection[FlowJob]:
        found = await reading.jobs_page(
            info.context.runtime,
            self.document,
            first=page_size(first) + 1,
            after=after or "",
            state=StoredNodeState(state.value) if state else None,
        )
        return connection(found, first, node=FlowJob.of, cursor=lambda each: each.seq, after=after)

    @strawberry.field(
        description="The whole flow as one JSON value, for pictures: levels are `{id, state, jobs, dependent}`, jobs "
        "`{id, job, as, state, iteration}`."
    )
    async def tree(self, info: PoolInfo) -> JsonText:
        return JsonText(await reading.tree(info.context.runtime, self.document))

    @strawberry.field(description="The root level; `dependent` leads down the tree.")
    async def root(self, info: PoolInfo) -> FlowLevel:
        return FlowLevel.of(await reading.get_level(info.context.runtime, self.key, "0"))

    @strawberry.field(description="Why it has not ended; empty once it has.")
    async def why_waiting(self, info: PoolInfo) -> list[WaitReason]:
        found = await waiting.why_flow(info.context.runtime, self.document)
        return [WaitReason.of(each) for each in found]

    @strawberry.field(description="The chain of levels that decides how long it still takes.")
    async def critical_path(self, info: PoolInfo) -> CriticalPath:
        path = await critical_path.of_flow(info.context.runtime, self.document)
        return CriticalPath(levels=[FlowLevel.of(level) for level in path.levels], seconds=path.seconds)


@strawberry.type
class FlowQuery:
    @strawberry.field(
        directives=[Hal(path=["/flows/{key}"], role=HalRole.SELF)],
        description="The flow with this key.",
    )
    async def flow(
        self, info: PoolInfo, key: Annotated[str, strawberry.argument(description="The flow's key.")]
    ) -> Flow:
        return Flow.of(await reading.get(info.context.runtime, key))

    @strawberry.field(
        directives=[Hal(path=["/flows"], role=HalRole.EMBED, members="flows", rel_wide=["flows"])],
        description="Flows, the newest first.",
    )
    async def flows(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        state: Annotated[FlowState | None, strawberry.argument(description="Only flows in this state.")] = None,
        owner: Annotated[str | None, strawberry.argument(description="Only this owner's flows.")] = None,
    ) -> Connection[Flow]:
        found = await reading.page(
            info.context.runtime,
            first=page_size(first) + 1,
            after=after or "",
            state=StoredFlowState(state.value) if state else None,
            owner=owner or "",
        )
        return connection(found, first, node=Flow.of, cursor=lambda each: each.seq, after=after)


def _variable_reference(value: str) -> str:
    """A variable's global id as its URL, anything else as it is."""
    key = key_or_reference(value, "Variable")
    if key == value:
        return value
    job, _, variable = key.partition("/")
    return f"/jobs/{job}/variables/{variable}"


@strawberry.input(description="A job at its place in a flow.")
class FlowJobInput:
    job: str = strawberry.field(description="The job: its key, its URL (absolute or not), or its global id.")
    variable: str | None = strawberry.field(
        default=None,
        description="The variable: its id, its URL, or its global id. Left out: the job's scheduler picks one when its "
        "turn comes; a job without variables gets `{}`.",
    )
    condition: str | None = strawberry.field(
        name="if",
        default=None,
        directives=[HalField(name="if")],
        description="`if(variable, context)`: whether it runs at all. Must be pure: it may be evaluated twice.",
    )
    repeat: str | None = strawberry.field(
        name="while",
        default=None,
        directives=[HalField(name="while")],
        description="`while(variable, context)`: whether it runs again with the context it returned. Must be pure.",
    )
    alias: str | None = strawberry.field(
        name="as",
        default=None,
        directives=[HalField(name="as")],
        description="The name its result is merged under if it is not an object. Default: the job's key.",
    )
    policy: PolicyInput | None = strawberry.field(default=None, description="Overrides the job's policy.")

    def planned(self) -> NewFlowJob:
        return NewFlowJob(
            job=key_or_reference(self.job, "Job"),
            variable=_variable_reference(self.variable or ""),
            condition=self.condition or "",
            repeat=self.repeat or "",
            alias=self.alias or "",
            policy=self.policy.changes() if self.policy else {},
        )


@strawberry.input(description="Jobs that run in parallel once the levels they depend on have ended.")
class FlowLevelInput:
    jobs: list[FlowJobInput] = strawberry.field(description="The jobs.")
    dependent: list[FlowLevelInput] | None = strawberry.field(
        default=None, description="Levels that run before, in parallel: one object or a list."
    )

    def planned(self) -> NewLevel:
        return NewLevel([each.planned() for each in self.jobs], [level.planned() for level in self.dependent or ()])


@strawberry.input(description="A flow: its root level, and what it is called.")
class SubmitFlowInput:
    jobs: list[FlowJobInput] = strawberry.field(description="The jobs of the root level: they run last.")
    dependent: list[FlowLevelInput] | None = strawberry.field(
        default=None, description="Levels that run before, in parallel: one object or a list."
    )
    name: str | None = strawberry.field(default=None, description="What to call it.")
    owner: str | None = strawberry.field(default=None, description="Who submits it.")
    on_failure: OnFailure = strawberry.field(
        default=OnFailure.FAIL, description="What the failure of one job means for the flow."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Repeating the same flow with the same key answers the stored one."
    )


@strawberry.input(description="The flow to act on.")
class FlowInput:
    flow: str = strawberry.field(description="The flow's key.")


@strawberry.type(description="The answer of a mutation on a flow.")
class FlowPayload(Payload):
    flow: Flow | None = strawberry.field(default=None, description="The flow as it is now.")


TheFlow = Annotated[FlowInput, strawberry.argument(description="The flow.")]


@strawberry.type
class FlowMutation:
    @strawberry.mutation(
        directives=[Hal(path=["/flows"], method=HalMethod.POST, rel=["submit-flow"])],
        extensions=[UserErrors(FlowPayload)],
        description="Submit a tree of jobs. All its JavaScript is compiled first; errors name the place in the tree.",
    )
    async def submit_flow(
        self,
        info: PoolInfo,
        input: Annotated[SubmitFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        root = FlowLevelInput(jobs=input.jobs, dependent=input.dependent).planned()
        new = submission.NewFlow(
            root=root,
            name=input.name or "",
            owner=input.owner or "",
            on_failure=submission.OnFailure(input.on_failure.value),
            idempotency_key=input.idempotency_key or "",
        )
        return FlowPayload(flow=Flow.of(await submission.submit(info.context.runtime, new)))

    @strawberry.mutation(extensions=[UserErrors(FlowPayload)], description="End a flow. What has completed stays.")
    async def cancel_flow(self, info: PoolInfo, input: TheFlow) -> FlowPayload:  # noqa: A002
        return FlowPayload(flow=Flow.of(await control.cancel(info.context.runtime, input.flow)))

    @strawberry.mutation(
        extensions=[UserErrors(FlowPayload)],
        description="Hand out nothing of a flow for a while. What is under way may be reported.",
    )
    async def pause_flow(self, info: PoolInfo, input: TheFlow) -> FlowPayload:  # noqa: A002
        return FlowPayload(flow=Flow.of(await control.pause(info.context.runtime, input.flow)))

    @strawberry.mutation(extensions=[UserErrors(FlowPayload)], description="Have a paused flow go on.")
    async def resume_flow(self, info: PoolInfo, input: TheFlow) -> FlowPayload:  # noqa: A002
        return FlowPayload(flow=Flow.of(await control.resume(info.context.runtime, input.flow)))

    @strawberry.mutation(
        extensions=[UserErrors(FlowPayload)],
        description="Have a failed or cancelled flow go on from what did not complete. What completed is kept.",
    )
    async def retry_flow(self, info: PoolInfo, input: TheFlow) -> FlowPayload:  # noqa: A002
        return FlowPayload(flow=Flow.of(await control.retry(info.context.runtime, input.flow)))


@strawberry.type(description="What changed in a flow since the cursor before.")
class FlowDelta:
    cursor: str = strawberry.field(description="Give it as `after` to go on from here after a lost connection.")
    state: FlowState = strawberry.field(description="Where the flow stands.")
    generation: int = strawberry.field(description="How often it was retried: progress grows within a generation.")
    progress: FlowProgress = strawberry.field(description="How far it is.")
    changed: list[FlowJob] = strawberry.field(description="The jobs that changed, as they are now.")
    reset: bool = strawberry.field(
        description="Too much changed to be told, or this is the first delta: read `Flow.nodes` anew."
    )
    flow: Flow = strawberry.field(description="The flow.")

    @classmethod
    def of(cls, delta: watching.Delta) -> FlowDelta:
        return cls(
            cursor=delta.cursor,
            state=FlowState(delta.flow.state),
            generation=delta.flow.generation,
            progress=FlowProgress.of(delta.progress),
            changed=[FlowJob.of(each) for each in delta.jobs],
            reset=delta.reset,
            flow=Flow.of(delta.flow),
        )


@strawberry.type
class FlowSubscription:
    @strawberry.subscription(
        description="What changes in a flow, at most a few times a second, until it has ended. A slow client gets "
        "fewer and larger deltas."
    )
    async def flow_progress(
        self,
        info: PoolInfo,
        key: Annotated[str, strawberry.argument(description="The flow's key.")],
        after: Annotated[
            str | None, strawberry.argument(description="The `cursor` of the last delta that was received.")
        ] = None,
    ) -> AsyncIterator[FlowDelta]:
        async for delta in watching.watch(info.context.runtime, key, after or ""):
            yield FlowDelta.of(delta)
