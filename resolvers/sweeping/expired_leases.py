"""Tasks whose hosts never reported: others get them."""

from __future__ import annotations

import functools

from resolvers.runtime import Runtime
from resolvers.sweeping.isolation import each_by_itself
from resolvers.volunteers import leases


async def rescue(runtime: Runtime, limit: int) -> int:
    """Expire up to `limit` leases that ran out, and replace their tasks; how many are through."""
    return await each_by_itself(
        await leases.begin_expiry(runtime, limit), functools.partial(leases.finish_expiry, runtime)
    )
