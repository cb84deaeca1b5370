"""The chain of levels that decides how long a flow still takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resolvers.flows.waiting import MOST_HOSTS, RECENTLY_MS
from resolvers.runtime import Runtime
from storage.documents import Flow, Level

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Levels from the first one to the root, and how long they take at the observed run times (seconds, None while
    no run time is known)."""

    levels: Sequence[Level]
    seconds: float | None


async def of_flow(runtime: Runtime, flow: Flow) -> CriticalPath:
    """The longest chain of levels that have not ended, each estimated by its jobs that have not ended, the hosts
    that ask for work, and the mean run time of the flow's jobs."""
    if flow.ended:
        return CriticalPath([], 0.0)
    levels = await _levels(runtime, flow)
    unended = await runtime.store.flow_jobs.count_unended(flow.id)
    hosts = await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS)
    mean_ms = await _mean_run_ms(runtime, flow)
    rounds = {level.id: math.ceil(unended.get(level.id, 0) / max(1, len(hosts))) for level in levels}
    path = longest_chain(levels, rounds)
    seconds = sum(rounds[level.id] for level in path) * mean_ms / 1000 if mean_ms else None
    return CriticalPath(path, seconds)


def longest_chain(levels: Sequence[Level], cost: Mapping[str, float]) -> list[Level]:
    """The chain up to the root with the largest sum of costs. `levels` has every parent before its children."""
    best: dict[str, tuple[float, Level | None]] = {}
    for level in reversed(levels):
        below, _ = best.get(level.id, (0.0, None))
        through = below + cost[level.id]
        if level.parent and (level.parent not in best or through > best[level.parent][0]):
            best[level.parent] = (through, level)
    chain: list[Level] = []
    at: Level | None = levels[0] if levels else None
    while at is not None:
        if not at.ended:
            chain.append(at)
        at = best.get(at.id, (0.0, None))[1]
    return chain[::-1]


async def _levels(runtime: Runtime, flow: Flow) -> list[Level]:
    found: list[Level] = []
    while True:
        after = found[-1].seq if found else ""
        chunk = await runtime.store.levels.page({"flow": flow.id}, first=PAGE, after=after)
        found += chunk
        if len(chunk) < PAGE:
            return found


async def _mean_run_ms(runtime: Runtime, flow: Flow) -> float:
    lanes = await runtime.store.lanes.get_many(flow.lanes)
    known = [lane.run_ms for lane in lanes.values() if lane.run_ms]
    return sum(known) / len(known) if known else 0.0
