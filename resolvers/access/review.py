"""Review: whose jobs wait until an operator has looked at them (`--review`).

A job that waits hands out no work, and none of its functions is called.
"""

from __future__ import annotations

from resolvers.access.principals import Principal
from resolvers.runtime import Runtime
from storage import Flow, Job, JobState, Review


async def review_of_new(runtime: Runtime, principal: Principal, account: str) -> Review:
    """What a job of the account is at first that the principal submits, or whose functions the principal changes."""
    if not runtime.reviews or principal.is_operator or await is_account_approved(runtime, account):
        return Review.APPROVED
    return Review.PENDING


async def is_account_approved(runtime: Runtime, key: str) -> bool:
    """Whether an operator has approved of what the account submits, or had within the last second."""
    account = await runtime.store.accounts.shown(key)
    return account is not None and account.approved_at > 0


async def is_flow_approved(runtime: Runtime, flow: Flow) -> bool:
    """Whether the conditions of a flow may be evaluated."""
    return not flow.is_unreviewed or await is_account_approved(runtime, flow.account)


def is_approved(job: Job) -> bool:
    return job.review == Review.APPROVED


def hands_out(job: Job) -> bool:
    """Whether a job's work is handed out."""
    return job.state == JobState.ACTIVE and is_approved(job)


def waiting_for_review(job_key: str) -> str:
    """Why nothing happens to a job that is not approved."""
    return f"the job {job_key!r} waits for the approval of the pool's operator"
