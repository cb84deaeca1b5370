"""Units whose tasks were still to be created when a process died."""

from __future__ import annotations

from collections import defaultdict

from resolvers.runtime import Runtime
from resolvers.units import replicas
from resolvers.units.kinds import UnitKinds
from storage import Unit


async def open_all(runtime: Runtime, limit: int) -> int:
    """Create the tasks of up to `limit` units of each kind; how many units were opened."""
    opened = 0
    for kind in runtime.part(UnitKinds):
        groups: dict[str, list[Unit]] = defaultdict(list)
        for unit in await kind.units(runtime).unfinished_business(runtime.now(), limit):
            groups[unit.job].append(unit)
        for job_key, units in groups.items():
            job = await runtime.store.jobs.by_key(job_key)
            if job is not None:  # Else it is deleted, and they with it.
                await replicas.open_units(runtime, job, units)
                opened += len(units)
    return opened
