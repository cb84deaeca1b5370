"""What a store holds after something was deleted."""

from __future__ import annotations

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from storage import Store
from storage.store import REPOSITORIES
from tests.resolvers.playing import Clock

MOST_SWEEPS = 500


async def counted(store: Store) -> dict[str, int]:
    """How many documents each collection holds, of those that hold any."""
    names = [repository.collection_name for repository in REPOSITORIES if repository.collection_name != "secrets"]
    counts = {name: await store.database.collection(name).count({}) for name in names}
    return {name: count for name, count in counts.items() if count}


async def removed(runtime: Runtime, clock: Clock) -> int:
    """Have the sweeper remove all that was deleted; how many sweeps it took."""
    clock.advance(runtime.takeover_ms / 1000 + 1)
    for sweeps in range(MOST_SWEEPS):
        if not (await sweep(runtime)).deleted:
            return sweeps
    raise AssertionError("the sweeper finds something to delete for ever")
