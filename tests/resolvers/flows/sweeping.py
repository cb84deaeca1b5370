"""What the sweeper has left to do."""

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from tests.resolvers.playing import Clock


async def sweep_all(runtime: Runtime, clock: Clock) -> None:
    """Everything that was left half-way is found, and then there is nothing left to find."""
    for _ in range(4):
        clock.advance(601)
        await sweep(runtime)
    swept = await sweep(runtime)
    assert swept.total == 0, swept
