"""Watching flows as they change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.flows import watching
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.nodes import key_or_reference
from schema.types.flow_nodes import FlowJob
from schema.types.flow_progress import FlowProgress
from schema.types.flow_states import FlowState
from schema.types.flows import Flow


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
        extensions=[Only(Allowed.ANYONE)],
        description="What changes in a flow, at most a few times a second, until it has ended. A slow client gets "
        "fewer and larger deltas.",
    )
    async def flow_progress(
        self,
        info: PoolInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="The flow's global id, or its key.")],  # noqa: A002
        after: Annotated[
            str | None, strawberry.argument(description="The `cursor` of the last delta that was received.")
        ] = None,
    ) -> AsyncIterator[FlowDelta]:
        with info.context.subscription():
            runtime, principal = info.context.runtime, await info.context.principal()
            async for delta in watching.watch(runtime, key_or_reference(id, "Flow"), after or "", principal):
                yield FlowDelta.of(delta)
