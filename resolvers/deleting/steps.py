"""When the removal of what is deleted begins, and how far it goes in one step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from resolvers.runtime import Runtime

MOST_ROOTS = 20
"""Jobs, flows, hosts or accounts that are looked at in one step: each may hold megabytes."""

R = TypeVar("R")


def remove_at(runtime: Runtime) -> int:
    """When what is deleted now is removed (ms since the epoch): nobody stores anything for it any more by then."""
    return runtime.now() + runtime.takeover_ms


async def remove_each(
    runtime: Runtime, roots: Iterable[R], remove_some: Callable[[Runtime, R, int], Awaitable[int]], limit: int
) -> int:
    """Remove what hangs on each of the roots, and then the root, until about `limit` documents are removed; how many
    there were. `remove_some` removes some of a root's at a time, the root last, and returns how many."""
    removed = 0
    for root in roots:
        while removed < limit and (some := await remove_some(runtime, root, limit)):
            removed += some
    return removed
