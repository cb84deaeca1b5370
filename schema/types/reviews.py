"""For operators: what waits for approval."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.owners import reviews
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.payloads import Payload, UserErrors
from schema.types.accounts import Account
from schema.types.jobs import Job


@strawberry.input(description="A job to approve.")
class ApproveJobInput:
    job: str = strawberry.field(description="The job's key.")


@strawberry.type(description="The answer of `approveJob`.")
class ApproveJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job as it is now.")


@strawberry.input(description="A job to reject.")
class RejectJobInput:
    job: str = strawberry.field(description="The job's key.")
    reason: str = strawberry.field(description="Why; its owner reads this. 1 to 1,000 characters.")


@strawberry.type(description="The answer of `rejectJob`.")
class RejectJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job as it is now.")


@strawberry.input(description="An account to approve.")
class ApproveAccountInput:
    account: str = strawberry.field(description="The account's key.")


@strawberry.type(description="The answer of `approveAccount`.")
class ApproveAccountPayload(Payload):
    account: Account | None = strawberry.field(default=None, description="The account as it is now.")


@strawberry.type
class ReviewQuery:
    @strawberry.field(
        extensions=[Only(Allowed.OPERATOR)],
        description="Jobs that wait for approval, in the order of their submission.",
    )
    async def jobs_to_approve(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Job]:
        found = await reviews.to_approve(info.context.runtime, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=Job.of, cursor=lambda job: job.seq, after=after)


@strawberry.type
class ReviewMutation:
    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(ApproveJobPayload)],
        description="Have the work of a job that waits for approval be handed out, within a second.",
    )
    async def approve_job(
        self,
        info: PoolInfo,
        input: Annotated[ApproveJobInput, strawberry.argument(description="The job.")],  # noqa: A002
    ) -> ApproveJobPayload:
        return ApproveJobPayload(job=Job.of(await reviews.approve_job(info.context.runtime, input.job)))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(RejectJobPayload)],
        description="Archive a job for a reason that its owner reads. What hosts compute of it is not taken any more, "
        "and flows that wait for it fail, or go on without it, as their `onFailure` says.",
    )
    async def reject_job(
        self,
        info: PoolInfo,
        input: Annotated[RejectJobInput, strawberry.argument(description="The job, and why.")],  # noqa: A002
    ) -> RejectJobPayload:
        job = await reviews.reject_job(info.context.runtime, input.job, input.reason)
        return RejectJobPayload(job=Job.of(job))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(ApproveAccountPayload)],
        description="Approve of an account: of its jobs that wait, and of all that it submits from now on.",
    )
    async def approve_account(
        self,
        info: PoolInfo,
        input: Annotated[ApproveAccountInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> ApproveAccountPayload:
        account = await reviews.approve_account(info.context.runtime, input.account)
        return ApproveAccountPayload(account=Account.of(account))
