"""Hosts: volunteers' clients."""

from __future__ import annotations

from datetime import datetime

import strawberry

from resolvers.documents import Host as HostDocument
from resolvers.units import credit
from schema.machinery.nodes import Node, global_id
from schema.machinery.times import moment


@strawberry.type(description="A volunteer's client. It is known by a random key only.")
class Host(Node):
    document: strawberry.Private[HostDocument]
    key: str = strawberry.field(description="Its pseudonym.")
    name: str | None = strawberry.field(description="What it calls itself.")
    valid: int = strawberry.field(description="Results of it that were valid: its credit.")
    invalid: int = strawberry.field(description="Results of it that were outvoted or turned down.")
    failed: int = strawberry.field(description="Computations that failed on it.")
    elapsed_milliseconds: float = strawberry.field(description="Computing time of its valid results, in ms.")
    created_at: datetime = strawberry.field(description="When it came first.")
    seen_at: datetime = strawberry.field(description="When a result of it was judged the last time.")

    @classmethod
    def of(cls, host: HostDocument) -> Host:
        return cls(
            id=global_id("Host", host.key),
            document=host,
            key=host.key,
            name=host.name or None,
            valid=host.valid,
            invalid=host.invalid,
            failed=host.failed,
            elapsed_milliseconds=float(host.elapsed_ms),
            created_at=moment(host.created_at),
            seen_at=moment(host.seen_at),
        )

    @strawberry.field(description="Whether jobs with an adaptive policy take its word.")
    def trusted(self) -> bool:
        return credit.is_trusted(self.document)
