"""What was deleted, and is still to be removed."""

from __future__ import annotations

from resolvers.deleting import accounts, flows, hosts, jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.isolation import by_itself

STEP = 300
"""About how many documents one storage operation of a deletion reads or removes."""


async def carry_on(runtime: Runtime) -> int:
    """Take one step of each kind of deletion; how many documents it was."""
    done = 0
    for kind in (accounts, flows, jobs, variables, hosts):
        with by_itself(f"removing deleted {kind.__name__.rpartition('.')[2]}"):
            done += await kind.remove(runtime, STEP)
    return done
