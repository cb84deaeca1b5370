"""What a flow is made of: levels, jobs and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.documents import FlowJob as FlowJobDocument
from resolvers.documents import Level as LevelDocument
from resolvers.documents import Run as RunDocument
from resolvers.flows import progress, reading, waiting
from resolvers.json_text import JsonText
from resolvers.owners import jobs
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.nodes import Node, global_id
from schema.machinery.times import moment, moment_or_none
from schema.types.flow_progress import FlowProgress, WaitReason
from schema.types.flow_states import FlowNodeState, FlowRunState
from schema.types.results import Result
from schema.types.tasks import Task

if TYPE_CHECKING:
    from schema.types.jobs import Job


@strawberry.type(description="One run of a flow's job: the `while` of a job makes several.")
class FlowRun(Node):
    document: strawberry.Private[RunDocument]
    iteration: int = strawberry.field(description="How many runs the job had completed before.")
    generation: int = strawberry.field(description="How often the flow had been retried when it was made.")
    state: FlowRunState = strawberry.field(description="Where it stands.")
    context: JsonText = strawberry.field(description="What the job's function got beside the variable.")
    variable: JsonText | None = strawberry.field(description="The variable's value; any JSON, null too.")
    reason: str | None = strawberry.field(description="Why it failed or was cancelled.")
    created_at: datetime = strawberry.field(description="When it was queued.")
    finished_at: datetime | None = strawberry.field(description="When it was decided.")

    @classmethod
    def of(cls, run: RunDocument) -> FlowRun:
        return cls(
            id=global_id("FlowRun", run.id),
            document=run,
            iteration=run.iteration,
            generation=run.generation,
            state=FlowRunState(run.state),
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

    @strawberry.field(description="The job whose function it runs; null: that was deleted.")
    async def job(self, info: PoolInfo) -> Annotated[Job, strawberry.lazy("schema.types.jobs")] | None:
        from schema.types.jobs import Job  # noqa: PLC0415 - the two types name each other

        found = await jobs.find(info.context.runtime, self.job_key)
        return None if found is None else Job.of(found)

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
    async def dependent(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[FlowLevel]:
        found = await reading.levels_below(
            info.context.runtime, self.document, first=page_size(first) + 1, after=after or ""
        )
        return connection(found, first, node=FlowLevel.of, cursor=lambda each: str(each.position), after=after)

    @strawberry.field(description="How far its own jobs are.")
    async def progress(self, info: PoolInfo) -> FlowProgress:
        return FlowProgress.of(await progress.of_level(info.context.runtime, self.document))
