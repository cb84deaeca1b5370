"""Picking tasks of a lane for a host, and leasing them to it."""

from __future__ import annotations

import math
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resolvers.flows import engine
from resolvers.owners import variable_schedulers
from resolvers.runtime import Runtime
from resolvers.units import assignments
from resolvers.units.policies import Policy
from resolvers.volunteers import leases
from storage.jobs import Job, JobState
from storage.queues import Lane, LaneKind
from storage.tasks import Lease, Task, TaskState
from storage.units import Unit

SPARE_CANDIDATES = 8
MOST_CANDIDATES = 1_000
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    task: Task
    unit: Unit
    job: Job


async def pick(runtime: Runtime, lane: Lane, count: int, *, host: str, token: str = "") -> list[ClaimedTask]:
    """Lease up to `count` tasks of one lane to a host; `token` is that of the leases, by default a random one."""
    job = await runtime.store.jobs.by_key(lane.job)
    if job is None or job.state == JobState.ARCHIVED:
        # Flows that wait for an archived job are told by the sweeper, which finds them by their lane.
        if lane.kind == LaneKind.VARIABLES:
            await runtime.lanes.close(lane)
        return []
    policy = Policy.of(job.policy)
    while True:
        now = runtime.now()
        lease = Lease(token or secrets.token_urlsafe(16), host, now, now + policy.delay_bound_ms)
        if job.variable_scheduler and lane.kind == LaneKind.VARIABLES:
            tasks = await _pick_scheduled(runtime, job, lane, lease, count)
        elif count == 1 and policy.replicas == 1:
            tasks = await _pick_one(runtime, lane, lease)
        else:
            tasks = await _pick_many(runtime, lane, lease, count)
        claimed = await with_units(runtime, job, LaneKind(lane.kind), tasks)
        # Tasks that nobody needs any more were cancelled by that: there may be others behind them.
        if claimed or not tasks:
            return claimed


async def _pick_one(runtime: Runtime, lane: Lane, lease: Lease) -> list[Task]:
    """The quick way where hardly any unit has a second replica."""
    task = await runtime.store.tasks.claim_one(lane.id, lease, runtime.random.random())
    if task is None:
        await runtime.lanes.close(lane)
        return []
    return await assign(runtime, lease.host, lease.token, [task]) or await _pick_many(runtime, lane, lease, 1)


async def _pick_many(runtime: Runtime, lane: Lane, lease: Lease, count: int) -> list[Task]:
    """Ready tasks in random order, less those of units that the host has a replica of already."""
    start = runtime.random.random()
    chosen: dict[str, Task] = {}
    seen = False
    for begin, end in ((start, 1.0), (0.0, start)):
        position = begin
        for number in range(MOST_PAGES):
            limit = min((2 * (count - len(chosen)) + SPARE_CANDIDATES) << number, MOST_CANDIDATES)
            page = await runtime.store.tasks.ready(lane.id, start=position, end=end, limit=limit)
            seen = seen or bool(page)
            chosen |= await assignments.unheld(runtime, lease.host, page)
            if not page or len(chosen) >= count:
                break
            position = math.nextafter(page[-1].rand, 1.0)
        if len(chosen) >= count:
            break
    if not seen:
        await runtime.lanes.close(lane)
    return await _lease(runtime, lease, list(chosen.values())[:count])


async def _lease(runtime: Runtime, lease: Lease, tasks: Sequence[Task]) -> list[Task]:
    if not tasks:
        return []
    leased = await runtime.store.tasks.claim([task.id for task in tasks], lease)
    return await assign(runtime, lease.host, lease.token, leased) if leased else []


async def _pick_scheduled(runtime: Runtime, job: Job, lane: Lane, lease: Lease, count: int) -> list[Task]:
    """Where the owner's `variable_scheduler` chooses; at random where it doesn't."""
    tasks: list[Task] = []
    while len(tasks) < count:
        chosen = await variable_schedulers.choose_task(runtime, job, host=lease.host)
        taken = await _lease(runtime, lease, [chosen] if chosen else []) or await _pick_many(runtime, lane, lease, 1)
        if not taken:
            break
        tasks += taken
    return tasks


async def assign(runtime: Runtime, host: str, token: str, tasks: Sequence[Task]) -> list[Task]:
    """Keep those leased tasks of whose units the host has no other replica; give the rest back."""
    kept = await assignments.assign(runtime, host, token, tasks)
    await leases.give_back(runtime, [task for task in tasks if task not in kept], token)
    return kept


async def with_units(runtime: Runtime, job: Job, kind: LaneKind, tasks: Sequence[Task]) -> list[ClaimedTask]:
    """The tasks with what is to be computed; those of units that ended meanwhile are cancelled."""
    units = await runtime.store.units(kind).get_many(task.unit for task in tasks)
    wanted = [task for task in tasks if task.unit in units and not units[task.unit].finished_at]
    if len(wanted) < len(tasks):
        stale = {task.id for task in tasks} - {task.id for task in wanted}
        await runtime.store.tasks.finish(stale, TaskState.LEASED, TaskState.CANCELLED)
    if wanted and kind == LaneKind.FLOW:
        wanted = await engine.admit(runtime, units, wanted)
        await _own_delay_bounds(runtime, job, units, wanted)
    return [ClaimedTask(task, units[task.unit], job) for task in wanted]


async def _own_delay_bounds(runtime: Runtime, job: Job, units: Mapping[str, Unit], tasks: Sequence[Task]) -> None:
    """Leases were granted for the job's delay bound; a flow's job may have another."""
    usual = Policy.of(job.policy).delay_bound_ms
    others: dict[tuple[str, int], list[Task]] = defaultdict(list)
    for task in tasks:
        own = Policy.of(units[task.unit].policy).delay_bound_ms
        if own != usual:
            task.until = task.leased_at + own
            others[task.lease, task.until].append(task)
    for (token, until), group in others.items():
        await runtime.store.tasks.extend([task.id for task in group], token, until)
