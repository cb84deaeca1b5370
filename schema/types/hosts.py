"""Hosts: volunteers' clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.deleting import hosts as deleting
from resolvers.documents import Block as BlockDocument
from resolvers.documents import Host as HostDocument
from resolvers.units import credit
from resolvers.volunteers.blocks import Blocks
from schema.machinery.access import Only
from schema.machinery.context import PoolInfo
from schema.machinery.directives import Hal, HalMethod
from schema.machinery.nodes import Node, global_id, key_or_reference
from schema.machinery.payloads import Payload, UserErrors
from schema.machinery.times import moment, moment_or_none
from schema.machinery.visibility import Private
from schema.types.enums import Blocked


@strawberry.type(description="That a host, or all hosts that ask from a network, get no work.")
class Block:
    kind: Blocked = strawberry.field(description="What is blocked.")
    host: str | None = strawberry.field(description="The key of the host; null: a network is blocked.")
    address_group: str | None = strawberry.field(description="The network; null: a host is blocked.")
    reason: str = strawberry.field(description="Why.")
    account: str | None = strawberry.field(
        description="The key of the account that blocked it; null: nobody was known."
    )
    created_at: datetime = strawberry.field(description="When it was blocked.")
    expires_at: datetime | None = strawberry.field(description="When that ends by itself; null: never.")

    @classmethod
    def of(cls, block: BlockDocument) -> Block:
        kind = Blocked(block.kind)
        return cls(
            kind=kind,
            host=block.name if kind is Blocked.HOST else None,
            address_group=block.name if kind is Blocked.ADDRESS_GROUP else None,
            reason=block.reason,
            account=block.account or None,
            created_at=moment(block.created_at),
            expires_at=moment_or_none(block.expires_at),
        )


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

    @strawberry.field(
        extensions=[Private()],
        description="The account whose machine it is, as a token with the scope COMPUTE has said; null if none has, "
        "and for all but that account and operators.",
    )
    def account(self) -> str | None:
        return self.document.account or None

    @strawberry.field(
        extensions=[Private()],
        description="The network that it last asked for work from, as limits and blocks count them: a /24 or a /48; "
        "null if that is not known, and for all but its account and operators.",
    )
    def address_group(self) -> str | None:
        return self.document.group or None

    @strawberry.field(
        extensions=[Private()],
        description="Why it gets no work: the operator's block of it, or of the network that it last asked from; null "
        "if there is none, and for all but its account and operators.",
    )
    def block(self, info: PoolInfo) -> Block | None:
        found = info.context.runtime.part(Blocks).of(host=self.key, group=self.document.group)
        return None if found is None else Block.of(found)

    @strawberry.field(description="Whether jobs with an adaptive policy take its word.")
    def trusted(self) -> bool:
        return credit.is_trusted(self.document)


@strawberry.input(description="A host to delete.")
class DeleteHostInput:
    host: str = strawberry.field(description="The host's key or global id.")
    token: str | None = strawberry.field(
        default=None, description="The host's own token, as `claimTasks` returned it; an operator needs none."
    )


@strawberry.type(description="The answer of `deleteHost`.")
class DeleteHostPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="Global id that the host had: drop it from caches."
    )


@strawberry.type
class HostMutation:
    @strawberry.mutation(
        directives=[Hal(path=["/hosts/{host}"], method=HalMethod.DELETE, status=204)],
        extensions=[Only(Allowed.ANYONE, is_audited=True), UserErrors(DeleteHostPayload)],
        description="Delete a host: as an operator, or with the host's own token, which is refused from then on. What "
        "it holds is ready for others at once. What it computed stays with the variables and flows that it was "
        "computed for, and names no host any more.",
    )
    async def delete_host(
        self,
        info: PoolInfo,
        input: Annotated[DeleteHostInput, strawberry.argument(description="The host.")],  # noqa: A002
    ) -> DeleteHostPayload:
        principal, key = await info.context.principal(), key_or_reference(input.host, "Host")
        host = await deleting.delete(info.context.runtime, principal, key, input.token or "")
        return DeleteHostPayload(deleted_id=global_id("Host", host.key))
