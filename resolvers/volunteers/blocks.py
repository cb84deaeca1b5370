"""Hosts that get no work: those that an operator has blocked, one by one or by their address group."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network

from resolvers.access.principals import Principal, Scope
from resolvers.access.rules import check_scope
from resolvers.addresses import group_of
from resolvers.errors import BadInput, Conflict, Forbidden, StorageUnavailable
from resolvers.identifiers import checked_cursor, checked_reason
from resolvers.runtime import Runtime, new_seq
from resolvers.volunteers import hosts, leases
from storage import Block, Blocked, Host

log = logging.getLogger(__name__)

REFRESH_S = 0.5
MOST_BLOCKS = 2_000
MOST_HOSTS = 10_000
LEASES_AT_ONCE = 300
ENFORCED_FOR_MS = 60_000
"""For how long leases are looked for that another process gave before it knew of the block."""


@dataclass(frozen=True, slots=True)
class NewBlock:
    """`expires_at` is in ms since the epoch; 0: never."""

    reason: str
    expires_at: int = 0


class Blocks:
    """The blocks there are: in the process that changes them as they are, in the others as they were at the last
    `refresh`. A server refreshes them twice a second, so that neither a claim nor a report costs an operation."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._changes = 0
        self.known: Mapping[str, Block] = {}
        """All by id; some may have ended."""

    def of(self, *, host: str = "", group: str = "") -> Block | None:
        """The block that holds for a host with this key, or for who asks from this address group; None if none does."""
        ids = (Block.id_of(Blocked.HOST, host), Block.id_of(Blocked.ADDRESS_GROUP, group))
        found = (self.known.get(each) for each in ids)
        return next((each for each in found if each and each.is_in_force(self._runtime.now())), None)

    def check(self, *, host: str = "", group: str = "") -> None:
        """Raises Forbidden for who is blocked."""
        if self.of(host=host, group=group):
            raise Forbidden("the pool's operator has blocked this host, or its network: it gets no work")

    async def refresh(self) -> None:
        """Read them anew."""
        changes = -1
        while changes != self._changes:  # What was changed while they were read may be missing.
            changes = self._changes
            found = {each.id: each for each in await self._runtime.store.blocks.all(MOST_BLOCKS)}
        self.known = found

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Meanwhile they are read anew twice a second. While the store is away, those that are known hold."""
        await self.refresh()
        task = asyncio.create_task(self._refresh_for_ever(), name="blocks")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _refresh_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh()
            except StorageUnavailable as problem:
                log.warning("blocks can't be read: %s", problem)
            except Exception:
                log.exception("blocks can't be read")

    async def changed(self) -> None:
        """Some of them were changed."""
        self._changes += 1
        await self.refresh()


async def block_host(runtime: Runtime, principal: Principal, key: str, new: NewBlock) -> Host:
    """Give a host no work, and take no results of it; what it holds is ready for others. The host as it is.

    Raises NotFound, BadInput, and Conflict where there are too many blocks.
    """
    host = await hosts.get(runtime, key)
    await _put(runtime, principal, Blocked.HOST, host.key, new)
    return host


async def unblock_host(runtime: Runtime, key: str) -> Host:
    """Let a host have work again. Repeating it changes nothing. Raises NotFound."""
    host = await hosts.get(runtime, key)
    await forget_host(runtime, host.key)
    return host


async def forget_host(runtime: Runtime, key: str) -> None:
    """Remove a host's own block, if it has one."""
    await _remove(runtime, Blocked.HOST, key)


async def block_address_group(runtime: Runtime, principal: Principal, network: str, new: NewBlock) -> Block:
    """The same for all hosts that ask from an address group, new ones too: that of an address, or of a network that is
    no larger than a group.

    Raises BadInput, and Conflict where there are too many blocks.
    """
    return await _put(runtime, principal, Blocked.ADDRESS_GROUP, checked_group(network), new)


async def unblock_address_group(runtime: Runtime, network: str) -> str:
    """Let hosts of an address group have work again. Repeating it changes nothing. The group; raises BadInput."""
    group = checked_group(network)
    await _remove(runtime, Blocked.ADDRESS_GROUP, group)
    return group


def checked_group(network: str) -> str:
    """The address group of an address, or of a network within one. Raises BadInput."""
    try:
        found = ip_network(network.strip(), strict=False)
    except ValueError:
        raise BadInput(
            f"an address or a network such as 192.0.2.0/24 is wanted, got {network[:100]!r}", field="address_group"
        ) from None
    group = group_of(str(found.network_address))
    if found.prefixlen < ip_network(group).prefixlen and found.version == ip_network(group).version:
        raise BadInput(
            f"{found} has more than one address group: block those that are meant, such as {group}",
            field="address_group",
        )
    return group


async def page(runtime: Runtime, *, first: int, after: str = "") -> Sequence[Block]:
    """Blocks, the latest first. Those that have ended are removed by the next sweep."""
    return await runtime.store.blocks.page({}, first=first, after=checked_cursor(after), newest_first=True)


@dataclass(frozen=True, slots=True)
class Which:
    """Which hosts: those alone that are `blocked`, themselves or by their address group; or that last asked from an
    address `group`. Both takes an operator."""

    blocked: bool = False
    group: str = ""


async def hosts_that_are(
    runtime: Runtime, principal: Principal, which: Which, *, first: int, after: str = ""
) -> Sequence[Host]:
    """Hosts, the newest first. Raises Unauthenticated, Forbidden and BadInput."""
    if which.blocked or which.group:
        check_scope(principal, Scope.OPERATE)
    group = checked_group(which.group) if which.group else ""
    if not which.blocked:
        return await hosts.page(runtime, first=first, after=after, group=group)
    ids = await _hosts_of(runtime, runtime.part(Blocks).known.values())
    return await runtime.store.hosts.page_among(ids[:MOST_HOSTS], first=first, after=checked_cursor(after), group=group)


async def enforce(runtime: Runtime) -> int:
    """Give up the leases of hosts that were blocked lately, and remove blocks that have ended; how many leases it
    was. Costs nothing where there are no such blocks."""
    known, now = runtime.part(Blocks).known.values(), runtime.now()
    if any(not each.is_in_force(now) for each in known):
        await runtime.store.blocks.forget_expired(now)
        await runtime.part(Blocks).changed()
    fresh = [each for each in known if each.is_in_force(now) and now - each.created_at <= ENFORCED_FOR_MS]
    return await _give_up_leases(runtime, fresh)


async def _put(runtime: Runtime, principal: Principal, kind: Blocked, name: str, new: NewBlock) -> Block:
    now = runtime.now()
    if 0 < new.expires_at <= now:
        raise BadInput("a block's expiry lies in the future", field="expires_at")
    block = Block(
        id=Block.id_of(kind, name),
        seq=new_seq(),
        kind=kind,
        name=name,
        reason=checked_reason(new.reason),
        account=principal.account,
        created_at=now,
        expires_at=new.expires_at,
    )
    known = runtime.part(Blocks).known
    if len(known) >= MOST_BLOCKS and block.id not in known:
        raise Conflict(f"there are {MOST_BLOCKS:,} blocks, and can't be more: forgive some, or block groups")
    try:
        await runtime.store.blocks.put(block)
    finally:
        await runtime.part(Blocks).changed()
    await _give_up_leases(runtime, [block])
    return block


async def _remove(runtime: Runtime, kind: Blocked, name: str) -> None:
    try:
        await runtime.store.blocks.remove_all([Block.id_of(kind, name)])
    finally:
        await runtime.part(Blocks).changed()


async def _give_up_leases(runtime: Runtime, blocks: Iterable[Block]) -> int:
    given_up = 0
    for host_id in await _hosts_of(runtime, blocks):
        while some := await leases.give_up_of(runtime, host_id.removeprefix("host:"), LEASES_AT_ONCE):
            given_up += some
    return given_up


async def _hosts_of(runtime: Runtime, blocks: Iterable[Block]) -> list[str]:
    """The ids of the hosts that blocks hold for, as far as they are known."""
    ids: list[str] = []
    for block in blocks:
        if block.kind == Blocked.HOST:
            ids.append(Host.id_of(block.name))
        else:
            ids += await runtime.store.hosts.of_group(block.name, MOST_HOSTS)
    return ids
