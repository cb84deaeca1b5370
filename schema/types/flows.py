"""Flows: trees of jobs that dashboards watch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.access.visibility import visibility_of
from resolvers.documents import Flow as FlowDocument
from resolvers.documents import FlowState as StoredFlowState
from resolvers.documents import NodeState as StoredNodeState
from resolvers.flows import critical_path, progress, reading, waiting
from resolvers.json_text import JsonText
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.directives import Hal, HalRole
from schema.machinery.nodes import Node, global_id
from schema.machinery.times import moment, moment_or_none
from schema.types.enums import Visibility
from schema.types.flow_nodes import FlowJob, FlowLevel
from schema.types.flow_progress import FlowProgress, WaitReason
from schema.types.flow_states import FlowNodeState, FlowState, OnFailure


@strawberry.type(description="The chain of levels that decides how long a flow still takes.")
class CriticalPath:
    levels: list[FlowLevel] = strawberry.field(description="From the first level that has not ended to the root.")
    seconds: float | None = strawberry.field(
        description="How long they take at the observed run times, by the hosts that ask for work, with all votes and "
        "as many runs of a `while` as others took; null while no run time is known."
    )


@strawberry.type(description="A tree of jobs that was submitted as one.")
class Flow(Node):
    document: strawberry.Private[FlowDocument]
    key: str = strawberry.field(description="Its place in URLs.")
    name: str | None = strawberry.field(description="What its owner calls it.")
    owner: str | None = strawberry.field(description="Who submitted it.")
    visibility: Visibility = strawberry.field(description="Who may read it; for others a PRIVATE flow is not there.")
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
            visibility=Visibility(visibility_of(flow)),
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
        "`{id, job, as, state, iteration, startedAt, finishedAt}`, the last two in ms since the epoch, 0 for not yet."
    )
    async def tree(self, info: PoolInfo) -> JsonText:
        return JsonText(await reading.tree(info.context.runtime, self.document))

    @strawberry.field(description="One of its jobs.")
    async def job(
        self, info: PoolInfo, number: Annotated[int, strawberry.argument(description="Its number within the flow.")]
    ) -> FlowJob:
        return FlowJob.of(await reading.get_job(info.context.runtime, self.key, str(number)))

    @strawberry.field(description="One of its levels.")
    async def level(
        self, info: PoolInfo, number: Annotated[int, strawberry.argument(description="Its number; 0 is the root.")]
    ) -> FlowLevel:
        return FlowLevel.of(await reading.get_level(info.context.runtime, self.key, str(number)))

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
        extensions=[Only(Allowed.ANYONE)],
        directives=[Hal(path=["/flows/{key}"], role=HalRole.SELF)],
        description="The flow with this key. A PRIVATE flow is there for its owner and operators only.",
    )
    async def flow(
        self, info: PoolInfo, key: Annotated[str, strawberry.argument(description="The flow's key.")]
    ) -> Flow:
        return Flow.of(await reading.get(info.context.runtime, key, await info.context.principal()))

    @strawberry.field(
        extensions=[Only(Allowed.ANYONE)],
        directives=[Hal(path=["/flows"], role=HalRole.EMBED, members="flows", rel_wide=["flows-root", "cp:flows"])],
        description="Flows, the newest first. PRIVATE flows of others are left out; where there are many of them, a "
        "page is shorter than it could be.",
    )
    async def flows(
        self,
        info: PoolInfo,
        first: First = 100,
        after: After = None,
        state: Annotated[FlowState | None, strawberry.argument(description="Only flows in this state.")] = None,
        owner: Annotated[str | None, strawberry.argument(description="Only this owner's flows.")] = None,
    ) -> Connection[Flow]:
        found, goes_on = await reading.page(
            info.context.runtime,
            first=page_size(first) + 1,
            after=after or "",
            state=StoredFlowState(state.value) if state else None,
            owner=owner or "",
            principal=await info.context.principal(),
        )
        page = connection(found, first, node=Flow.of, cursor=lambda each: each.seq, after=after)
        if goes_on:
            page.page_info.has_next_page, page.page_info.end_cursor = True, goes_on
        return page
