"""What an account has in the pool and uses of it, beside what it may."""

from __future__ import annotations

import strawberry

from resolvers.owners.quotas import Quotas
from resolvers.runtime import Runtime
from resolvers.sandbox_minutes import SandboxMinutes


@strawberry.type(description="How much of something an account has, and how much it may have.")
class Quota:
    used: float = strawberry.field(description="How much it has, in the unit of the field that this is the value of.")
    limit: float | None = strawberry.field(
        description="The most that it may have, in the same unit, as the pool's operator has set it; null: any amount."
    )


@strawberry.type(
    description="What an account has in the pool, beside its quotas: what would take more is refused as QUOTA. What is "
    "stored was counted a moment ago: a second, or twenty times as long as counting takes."
)
class Usage:
    stored_bytes: Quota = strawberry.field(
        description="Bytes that are stored: of its jobs' sources, its variables and their results, and its flows."
    )
    open_variables: Quota = strawberry.field(description="Variables, and jobs of flows, that are not finished.")
    open_flows: Quota = strawberry.field(description="Flows that have not ended.")
    sandbox_seconds: Quota = strawberry.field(
        description="Seconds of processor time that its functions (validators, comparisons, variable schedulers, "
        "conditions of flows) used in the last minute in the sandbox of the server process that answers; each "
        "process counts its own, and the quota is for each of them."
    )


async def usage_of(runtime: Runtime, account: str) -> Usage:
    """What the account with this key has and uses, and may."""
    stored, limits = await runtime.part(Quotas).usage(account), runtime.limits
    minute = runtime.part(SandboxMinutes).of(account)
    return Usage(
        stored_bytes=_quota(stored.bytes, limits.account_bytes),
        open_variables=_quota(stored.variables, limits.account_variables),
        open_flows=_quota(stored.flows, limits.account_flows),
        sandbox_seconds=_quota(minute.used_s, limits.account_sandbox_seconds),
    )


def _quota(used: float, limit: int) -> Quota:
    return Quota(used=used, limit=limit or None)
