"""When Python looks for cycles of objects that nobody needs any more.

By itself it looks at all objects of the process whenever there are a quarter more of them, and meanwhile the event loop
stands still: for 100 ms and more with what the modules and the schema alone are made of.
"""

from __future__ import annotations

import asyncio
import gc

YOUNG = (10_000, 10)
"""How many new objects are looked at together, and how often before those that are a little older are."""
NEVER = 1 << 30
LOOK_EVERY_S = 60.0
WHOLE_EVERY = 60
"""At how many looks one is at everything. What is still in use at the others is left out after them, so that each takes
as long as what came since the one before is much."""


async def collect_cycles() -> None:
    """Leave what there is out of it, and look once a minute at all that came later, until cancelled."""
    gc.set_threshold(*YOUNG, NEVER)
    while True:
        gc.unfreeze()
        for _ in range(WHOLE_EVERY):
            gc.collect()
            gc.freeze()
            await asyncio.sleep(LOOK_EVERY_S)
