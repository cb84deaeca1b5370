"""For operators: which hosts get no work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.access.rules import Allowed
from resolvers.volunteers import blocks
from schema.machinery.access import Only
from schema.machinery.connections import After, Connection, First, connection, page_size
from schema.machinery.context import PoolInfo
from schema.machinery.nodes import key_or_reference
from schema.machinery.payloads import Payload, UserErrors
from schema.machinery.times import milliseconds
from schema.types.hosts import Block, Host


@strawberry.input(description="A host to block.")
class BlockHostInput:
    host: str = strawberry.field(description="The host's key or global id.")
    reason: str = strawberry.field(description="Why; operators read this. 1 to 1,000 characters.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends by itself; left out: never.")


@strawberry.type(description="The answer of `blockHost`.")
class BlockHostPayload(Payload):
    host: Host | None = strawberry.field(default=None, description="The host as it is now.")


@strawberry.input(description="A host to block no more.")
class UnblockHostInput:
    host: str = strawberry.field(description="The host's key or global id.")


@strawberry.type(description="The answer of `unblockHost`.")
class UnblockHostPayload(Payload):
    host: Host | None = strawberry.field(
        default=None, description="The host as it is now; its network may still be blocked."
    )


@strawberry.input(description="A network to block.")
class BlockAddressGroupInput:
    address_group: str = strawberry.field(
        description="An address, or a network; its /24 (IPv4) or /48 (IPv6) is blocked."
    )
    reason: str = strawberry.field(description="Why; operators read this. 1 to 1,000 characters.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends by itself; left out: never.")


@strawberry.type(description="The answer of `blockAddressGroup`.")
class BlockAddressGroupPayload(Payload):
    block: Block | None = strawberry.field(default=None, description="The block.")


@strawberry.input(description="A network to block no more.")
class UnblockAddressGroupInput:
    address_group: str = strawberry.field(description="An address, or a network.")


@strawberry.type(description="The answer of `unblockAddressGroup`.")
class UnblockAddressGroupPayload(Payload):
    address_group: str | None = strawberry.field(default=None, description="The network that is not blocked any more.")


@strawberry.type
class BlockQuery:
    @strawberry.field(
        extensions=[Only(Allowed.OPERATOR)],
        description="The hosts and networks that are blocked, the latest first. What has ended leaves the list in a "
        "few seconds.",
    )
    async def blocks(self, info: PoolInfo, first: First = 100, after: After = None) -> Connection[Block]:
        found = await blocks.page(info.context.runtime, first=page_size(first) + 1, after=after or "")
        return connection(found, first, node=Block.of, cursor=lambda each: each.seq, after=after)


@strawberry.type
class BlockMutation:
    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(BlockHostPayload)],
        description="Give a host no work, and take no results of it, within a second. What it holds is ready for "
        "others at once; what it computed stays. A block there is gets another reason and end.",
    )
    async def block_host(
        self,
        info: PoolInfo,
        input: Annotated[BlockHostInput, strawberry.argument(description="The host, and why.")],  # noqa: A002
    ) -> BlockHostPayload:
        new = blocks.NewBlock(input.reason, milliseconds(input.expires_at))
        principal, key = await info.context.principal(), key_or_reference(input.host, "Host")
        return BlockHostPayload(host=Host.of(await blocks.block_host(info.context.runtime, principal, key, new)))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(UnblockHostPayload)],
        description="Let a host have work again.",
    )
    async def unblock_host(
        self,
        info: PoolInfo,
        input: Annotated[UnblockHostInput, strawberry.argument(description="The host.")],  # noqa: A002
    ) -> UnblockHostPayload:
        key = key_or_reference(input.host, "Host")
        return UnblockHostPayload(host=Host.of(await blocks.unblock_host(info.context.runtime, key)))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(BlockAddressGroupPayload)],
        description="Give no host that asks from a network any work, new ones too, as `blockHost` does.",
    )
    async def block_address_group(
        self,
        info: PoolInfo,
        input: Annotated[  # noqa: A002
            BlockAddressGroupInput, strawberry.argument(description="The network, and why.")
        ],
    ) -> BlockAddressGroupPayload:
        new = blocks.NewBlock(input.reason, milliseconds(input.expires_at))
        runtime, principal = info.context.runtime, await info.context.principal()
        block = await blocks.block_address_group(runtime, principal, input.address_group, new)
        return BlockAddressGroupPayload(block=Block.of(block))

    @strawberry.mutation(
        extensions=[Only(Allowed.OPERATOR), UserErrors(UnblockAddressGroupPayload)],
        description="Let hosts that ask from a network have work again, unless they are blocked themselves.",
    )
    async def unblock_address_group(
        self,
        info: PoolInfo,
        input: Annotated[UnblockAddressGroupInput, strawberry.argument(description="The network.")],  # noqa: A002
    ) -> UnblockAddressGroupPayload:
        group = await blocks.unblock_address_group(info.context.runtime, input.address_group)
        return UnblockAddressGroupPayload(address_group=group)
