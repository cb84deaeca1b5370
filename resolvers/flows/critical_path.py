"""The chain of levels that decides how long a flow still takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from resolvers.flows.waiting import MOST_HOSTS, RECENTLY_MS
from resolvers.runtime import Runtime
from storage import Flow, Level, Queue

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


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a level's jobs that run the same job: how many runs each takes in turn, on average, and how many
    tasks all of them take."""

    in_turn: float
    tasks: float

    @classmethod
    def of(cls, unended: Mapping[str, int], usual_runs: float) -> Left:
        """`unended` are the sums of jobs that have not ended; each makes as many runs as others of it did on average,
        and at least the present one."""
        jobs = unended["count"]
        runs = max(jobs, jobs * usual_runs - unended["iteration"])
        return cls(runs / jobs, runs * unended["replicas"] / jobs)


async def of_flow(runtime: Runtime, flow: Flow) -> CriticalPath:
    """The longest chain of levels that have not ended, each estimated by its jobs that have not ended, the replicas
    they want, the runs that a `while` took of others, the hosts that ask for work, and the observed run times."""
    if flow.ended:
        return CriticalPath([], 0.0)
    levels = await _outlines(runtime, flow)
    run_ms = await _run_ms(runtime, flow)
    hosts = len(await runtime.store.hosts.claimed_since(runtime.now() - RECENTLY_MS, MOST_HOSTS))
    costs = dict.fromkeys((level.id for level in levels), 0.0)
    for level_id, left in (await _left(runtime, flow)).items():
        costs[level_id] = _cost_ms(left, run_ms, max(1, hosts))
    path = longest_chain(levels, costs)
    found = await runtime.store.levels.get_many(level.id for level in path)
    seconds = sum(costs[level.id] for level in path) / 1000 if run_ms else None
    return CriticalPath([found[level.id] for level in path if level.id in found], seconds)


def _cost_ms(left: Mapping[str, Left], run_ms: Mapping[str, float], hosts: int) -> float:
    """How long the tasks take: as many rounds as there are for each host, of the mean run time, and not less than the
    longest of the jobs. A job of which nothing is known takes as long as the others on average."""
    usual = sum(run_ms.values()) / len(run_ms) if run_ms else 1.0
    each = {job: run_ms.get(job, usual) for job in left}
    tasks = sum(some.tasks for some in left.values())
    mean = sum(some.tasks * each[job] for job, some in left.items()) / tasks
    return max(math.ceil(tasks / hosts) * mean, *(some.in_turn * each[job] for job, some in left.items()))


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


async def _left(runtime: Runtime, flow: Flow) -> Mapping[str, Mapping[str, Left]]:
    """What has not ended, by level and job; where a flow runs very many different ones they are taken together."""
    by_level: dict[str, dict[str, Left]] = defaultdict(dict)
    completed = await runtime.store.flow_jobs.sums_completed(flow.id)
    for job in map(Queue.job_of, flow.queues) if len(flow.queues) <= MOST_KINDS else [""]:
        done = completed.get(job)
        usual_runs = 1 + done["iteration"] / done["count"] if done else 1.0
        for level_id, unended in (await runtime.store.flow_jobs.sums_unended(flow.id, job)).items():
            by_level[level_id][job] = Left.of(unended, usual_runs)
    return by_level


async def _run_ms(runtime: Runtime, flow: Flow) -> Mapping[str, float]:
    """The run times of the flow's jobs, of those that are known."""
    queues = await runtime.store.queues.get_many(flow.queues)
    return {queue.job: queue.run_ms for queue in queues.values() if queue.run_ms}
