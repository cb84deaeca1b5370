"""Carrying on where a host or a process died. Every process sweeps; all of it is safe to repeat."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from resolvers.runtime import Runtime
from resolvers.sweeping import deletions, expired_leases, interrupted_reports, released_tasks, unopened_units
from resolvers.units.kinds import UnitKinds
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import blocks
from resolvers.volunteers.interests import Interests

BATCH = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found to do."""

    opened: int
    expired: int
    released: int
    recovered: int
    resumed: int
    deleted: int

    @property
    def total(self) -> int:
        return sum(astuple(self))


async def sweep(runtime: Runtime) -> Swept:
    """Do every chore once. What runs owners' code comes last: a sandbox that is away holds nothing else up."""
    await runtime.part(OpenQueues).flush()
    await runtime.store.requests.forget_overdue(runtime.now())
    await runtime.part(Interests).store()
    await blocks.enforce(runtime)
    opened = await unopened_units.open_all(runtime, BATCH)
    expired = await expired_leases.rescue(runtime, BATCH)
    released = await released_tasks.wake(runtime, BATCH)
    await runtime.part(OpenQueues).snapshot()
    recovered = await interrupted_reports.carry_on(runtime, BATCH)
    deleted = await deletions.carry_on(runtime)
    resumed = sum([await kind.carry_on(runtime, BATCH) for kind in runtime.part(UnitKinds)])
    return Swept(opened, expired, released, recovered, resumed, deleted)
