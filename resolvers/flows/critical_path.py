"""The chain of levels that decides how long a flow still takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from resolvers.flows.waiting import MOST_HOSTS, RECENTLY_MS
from resolvers.runtime import Runtime
from storage.documents import Flow, Lane, Level

PAGE = 1_000
MOST_KINDS = 100


@dataclass(slots=True)
class Outline:
    """A level's place in the tree: its id, its parent's (empty: none), and whether it has ended."""

    id: str
    parent: str
    ended: bool


L = TypeVar("L", Outline, Level)


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Levels from the first one to the root, and how long they take at the observed run times (seconds, None while
    no run time is known)."""

    levels: Sequence[Level]
    seconds: float | None


async def of_flow(runtime: Runtime, flow: Flow) -> CriticalPath:
    """The longest chain of levels that have not ended, each estimated by its jobs that have not ended, the hosts
    that ask for work, and the observed run times of those jobs."""
    if flow.ended:
        return CriticalPath([], 0.0)
    levels = await _outlines(runtime, flow)
    run_ms = await _run_ms(runtime, flow)
    hosts = len(await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS))
    costs = dict.fromkeys((level.id for level in levels), 0.0)
    for level_id, jobs in (await _unended(runtime, flow)).items():
        costs[level_id] = _cost_ms(jobs, run_ms, max(1, hosts))
    path = longest_chain(levels, costs)
    found = await runtime.store.levels.get_many(level.id for level in path)
    seconds = sum(costs[level.id] for level in path) / 1000 if run_ms else None
    return CriticalPath([found[level.id] for level in path if level.id in found], seconds)


def _cost_ms(jobs: Mapping[str, int], run_ms: Mapping[str, float], hosts: int) -> float:
    """How long so many runs of each job take: as many rounds as there are for each host, of the mean run time, and not
    less than the longest of them. A job of which nothing is known takes as long as the others on average."""
    usual = sum(run_ms.values()) / len(run_ms) if run_ms else 1.0
    each = {job: run_ms.get(job, usual) for job in jobs}
    count = sum(jobs.values())
    mean = sum(number * each[job] for job, number in jobs.items()) / count
    return max(math.ceil(count / hosts) * mean, *each.values())


def longest_chain(levels: Sequence[L], cost: Mapping[str, float]) -> list[L]:
    """The chain up to the root with the largest sum of costs. `levels` has every parent before its children."""
    best: dict[str, tuple[float, L | None]] = {}
    for level in reversed(levels):
        below, _ = best.get(level.id, (0.0, None))
        through = below + cost[level.id]
        if level.parent and (level.parent not in best or through > best[level.parent][0]):
            best[level.parent] = (through, level)
    chain: list[L] = []
    at: L | None = levels[0] if levels else None
    while at is not None:
        if not at.ended:
            chain.append(at)
        at = best.get(at.id, (0.0, None))[1]
    return chain[::-1]


async def _outlines(runtime: Runtime, flow: Flow) -> list[Outline]:
    found: list[Outline] = []
    after = ""
    while True:
        chunk = await runtime.store.levels.outlines(flow.id, ("parent", "ended"), after=after, limit=PAGE)
        found += [Outline(each["_id"], each["parent"], each["ended"]) for each in chunk]
        if len(chunk) < PAGE:
            return found
        after = chunk[-1]["seq"]


async def _unended(runtime: Runtime, flow: Flow) -> Mapping[str, Mapping[str, int]]:
    """How many jobs have not ended, by level and job; where a flow runs very many different ones they are not told
    apart."""
    by_level: dict[str, dict[str, int]] = defaultdict(dict)
    for job in map(Lane.job_of, flow.lanes) if len(flow.lanes) <= MOST_KINDS else [""]:
        for level_id, count in (await runtime.store.flow_jobs.count_unended(flow.id, job)).items():
            by_level[level_id][job] = count
    return by_level


async def _run_ms(runtime: Runtime, flow: Flow) -> Mapping[str, float]:
    """The run times of the flow's jobs, of those that are known."""
    lanes = await runtime.store.lanes.get_many(flow.lanes)
    return {lane.job: lane.run_ms for lane in lanes.values() if lane.run_ms}
