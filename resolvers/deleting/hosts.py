"""Deleting hosts. What they computed stays: it is their owners', and is no host's any more."""

from __future__ import annotations

from resolvers.access.principals import Principal, Scope
from resolvers.access.rules import check_scope
from resolvers.deleting.steps import MOST_ROOTS, remove_at, remove_each
from resolvers.errors import Forbidden
from resolvers.runtime import Runtime
from resolvers.volunteers import blocks, hosts, leases
from storage import Assignment, Host

LEASES_AT_ONCE = 300


async def delete(runtime: Runtime, principal: Principal, key: str, token: str = "") -> Host:
    """Delete a host, as an operator or by the host's own token; the host as it was. What it holds is ready for others
    at once, and its token is refused.

    Raises NotFound, Unauthenticated and Forbidden.
    """
    if token and hosts.known(runtime, token).key != key:
        raise Forbidden(f"this token is not that of the host {key[:100]!r}", field="token")
    if not token:
        check_scope(principal, Scope.OPERATE)
    host = await hosts.get(runtime, key)
    await runtime.store.hosts.delete([host.id], remove_at=remove_at(runtime))
    await blocks.forget_host(runtime, host.key)
    while await leases.give_up_of(runtime, host.key, LEASES_AT_ONCE):
        pass
    return host


async def remove(runtime: Runtime, limit: int) -> int:
    """One step of removing what was deleted; how many documents it was."""
    removable = await runtime.store.hosts.removable(runtime.now(), MOST_ROOTS)
    return await remove_each(runtime, removable, _remove_some, limit)


async def _remove_some(runtime: Runtime, host: Host, limit: int) -> int:
    store = runtime.store
    if held := await leases.give_up_of(runtime, host.key, limit):
        return held
    if tasks := await store.tasks.of_host(host.key, limit):
        await store.assignments.remove_all([Assignment.id_of(unit, host.key) for _, unit in tasks])
        await store.tasks.forget_host([task for task, _ in tasks])
        return len(tasks)
    return await store.results.forget_host(host.key, limit) or await store.hosts.remove([host.id])
