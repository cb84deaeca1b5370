"""Submitting flows, and what their owners may do to them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.access.visibility import Visibility as StoredVisibility
from resolvers.deleting import flows as deleting
from resolvers.flows import control, submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.directives import Hal, HalField, HalMethod
from schema.machinery.nodes import global_id, key_or_reference
from schema.machinery.payloads import Payload, UserErrors
from schema.machinery.turns import aside
from schema.types.enums import Visibility
from schema.types.flow_states import OnFailure
from schema.types.flows import Flow
from schema.types.policies import PolicyInput


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
    owner: str | None = strawberry.field(
        default=None, description="Who submits it; where the pool wants tokens: the account of the token that was sent."
    )
    visibility: Visibility | None = strawberry.field(
        default=None,
        description="Who may read it. Default: PRIVATE where the pool wants tokens, else PUBLIC, unless its operator "
        "says otherwise; PRIVATE where any of its jobs is.",
    )
    on_failure: OnFailure | None = strawberry.field(
        default=OnFailure.FAIL, description="What the failure of one job means for the flow; null: FAIL."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Repeating the same flow with the same key answers the stored one."
    )


@strawberry.input
class _TheFlow:
    flow: str = strawberry.field(description="The flow's key or global id.")

    @property
    def key(self) -> str:
        return key_or_reference(self.flow, "Flow")


@strawberry.input(description="The flow to end.")
class CancelFlowInput(_TheFlow):
    pass


@strawberry.input(description="The flow to pause.")
class PauseFlowInput(_TheFlow):
    pass


@strawberry.input(description="The flow to go on with.")
class ResumeFlowInput(_TheFlow):
    pass


@strawberry.input(description="The flow to try again.")
class RetryFlowInput(_TheFlow):
    pass


@strawberry.input(description="The flow to delete.")
class DeleteFlowInput(_TheFlow):
    pass


@strawberry.type(description="The answer of `deleteFlow`.")
class DeleteFlowPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="Global id that the flow had: drop it from caches."
    )


@strawberry.type(description="The answer of a mutation on a flow.")
class FlowPayload(Payload):
    flow: Flow | None = strawberry.field(default=None, description="The flow as it is now.")


@strawberry.type
class FlowMutation:
    @strawberry.mutation(
        directives=[Hal(path=["/flows"], method=HalMethod.POST, rel=["submit-flow"])],
        extensions=[Only(Allowed.SUBMITTER), UserErrors(FlowPayload)],
        description="Submit a tree of jobs. All its JavaScript is compiled first. What is wrong is told at once, in "
        "up to 20 errors that name their place in the tree.",
    )
    async def submit_flow(
        self,
        info: PoolInfo,
        input: Annotated[SubmitFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        level = FlowLevelInput(jobs=input.jobs, dependent=input.dependent)
        root = await aside(level.planned, weight=info.context.weight)
        new = submission.NewFlow(
            root=root,
            name=input.name or "",
            owner=input.owner or "",
            visibility=StoredVisibility(input.visibility.value) if input.visibility else None,
            on_failure=submission.OnFailure((input.on_failure or OnFailure.FAIL).value),
            idempotency_key=input.idempotency_key or "",
        )
        context = info.context
        principal = await context.principal()
        flow = await submission.submit(context.runtime, new, context.pool_addresses, principal)
        return FlowPayload(flow=Flow.of(flow))

    @strawberry.mutation(
        extensions=[Only(Allowed.FLOW_OWNER), UserErrors(FlowPayload)],
        description="End a flow. What has completed stays.",
    )
    async def cancel_flow(
        self,
        info: PoolInfo,
        input: Annotated[CancelFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        return FlowPayload(flow=Flow.of(await control.cancel(info.context.runtime, input.key)))

    @strawberry.mutation(
        extensions=[Only(Allowed.FLOW_OWNER), UserErrors(FlowPayload)],
        description="Hand out nothing of a flow for a while. What is under way may be reported.",
    )
    async def pause_flow(
        self,
        info: PoolInfo,
        input: Annotated[PauseFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        return FlowPayload(flow=Flow.of(await control.pause(info.context.runtime, input.key)))

    @strawberry.mutation(
        extensions=[Only(Allowed.FLOW_OWNER), UserErrors(FlowPayload)], description="Have a paused flow go on."
    )
    async def resume_flow(
        self,
        info: PoolInfo,
        input: Annotated[ResumeFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        return FlowPayload(flow=Flow.of(await control.resume(info.context.runtime, input.key)))

    @strawberry.mutation(
        extensions=[Only(Allowed.FLOW_OWNER), UserErrors(FlowPayload)],
        description="Have a failed or cancelled flow go on from what did not complete. What completed is kept.",
    )
    async def retry_flow(
        self,
        info: PoolInfo,
        input: Annotated[RetryFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> FlowPayload:
        return FlowPayload(flow=Flow.of(await control.retry(info.context.runtime, input.key)))

    @strawberry.mutation(
        directives=[Hal(path=["/flows/{flow}"], method=HalMethod.DELETE, status=204)],
        extensions=[Only(Allowed.FLOW_OWNER), UserErrors(DeleteFlowPayload)],
        description="Delete a flow with its levels, jobs, runs and their results, whether it runs or has ended. It is "
        "gone at once: nobody finds it, leases of its tasks are lost, and `flowProgress` ends with NOT_FOUND.",
    )
    async def delete_flow(
        self,
        info: PoolInfo,
        input: Annotated[DeleteFlowInput, strawberry.argument(description="The flow.")],  # noqa: A002
    ) -> DeleteFlowPayload:
        flow = await deleting.delete(info.context.runtime, input.key)
        return DeleteFlowPayload(deleted_id=global_id("Flow", flow.key))
