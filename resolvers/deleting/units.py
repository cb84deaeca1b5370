"""Removing units with their tasks, results and assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from resolvers.runtime import Runtime
from storage import Assignment


def few(units: Mapping[str, Sequence[str]], limit: int) -> dict[str, Sequence[str]]:
    """The first of the units, with at most `limit` tasks together; a single unit may have more."""
    chosen: dict[str, Sequence[str]] = {}
    total = 0
    for unit, tasks in units.items():
        total += len(tasks)
        if chosen and total > limit:
            break
        chosen[unit] = tasks
    return chosen


async def remove_contents(runtime: Runtime, units: Mapping[str, Sequence[str]], limit: int) -> int:
    """Remove the tasks of units (by the units' ids), the results with the same ids and the assignments, up to `limit`
    at a time; how many documents there were."""
    ids = list(chain.from_iterable(units.values()))
    removed = 0
    for start in range(0, len(ids), limit):
        some = ids[start : start + limit]
        held = [Assignment.id_of(unit, host) for unit, host in await runtime.store.tasks.holders(some)]
        removed += await runtime.store.assignments.remove_all(held)
        removed += await runtime.store.results.remove_all(some)
        removed += await runtime.store.tasks.remove_all(some)
    return removed
