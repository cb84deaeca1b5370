"""The audit log."""

from __future__ import annotations

from datetime import datetime

import strawberry

from resolvers.access import audit
from resolvers.access.rules import Allowed
from resolvers.documents import AuditEntry as AuditDocument
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.times import moment


@strawberry.type(description="That an owner or an operator has changed something in a pool that wants tokens.")
class AuditEntry:
    at: datetime = strawberry.field(description="When it was done.")
    account: str | None = strawberry.field(
        description="The key of the account whose token or session did it; null: the command line, at the pool's "
        "machine."
    )
    token: str | None = strawberry.field(description="The key of that token or session.")
    action: str = strawberry.field(description="The name of the mutation; or `signIn`, `signOut`.")
    subject: str = strawberry.field(description="The kind and the key of what it was done to, such as `job primes`.")

    @classmethod
    def of(cls, entry: AuditDocument) -> AuditEntry:
        return cls(
            at=moment(entry.at),
            account=entry.account or None,
            token=entry.token or None,
            action=entry.action,
            subject=entry.subject,
        )


@strawberry.type
class AuditQuery:
    @strawberry.field(
        extensions=[Only(Allowed.OPERATOR)],
        description="What owners and operators have changed, the latest first. Volunteers' work is not in it.",
    )
    async def audit_log(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[AuditEntry]:
        found = await audit.page(info.context.runtime, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=AuditEntry.of, cursor=lambda each: each.seq, after=after)
