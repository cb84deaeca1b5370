"""Picking tasks of a queue for a host, and leasing them to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.access.review import hands_out
from resolvers.owners import variable_schedulers
from resolvers.runtime import Runtime
from resolvers.units import assignments
from resolvers.units.kinds import UnitKind, UnitKinds
from resolvers.units.policies import Policy
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import leases
from storage import Job, JobState, Lease, Queue, Review, Task, TaskState, Unit

SPARE_CANDIDATES = 8
MOST_CANDIDATES = 1_000
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    task: Task
    unit: Unit
    job: Job


async def pick(runtime: Runtime, queue: Queue, count: int, *, host: str, token: str = "") -> list[ClaimedTask]:
    """Lease up to `count` tasks of one queue to a host; `token` is that of the leases, by default a random one."""
    job, kind = await runtime.store.jobs.by_key(queue.job), runtime.part(UnitKinds).of_queue(queue)
    if job is not None and job.review == Review.PENDING:
        # Approving it wakes the queue, and that must not be undone by what was read before.
        job = await runtime.store.jobs.reread(job)
    if job is None or not hands_out(job):
        if not kind.ends_when_archived or (job and job.state == JobState.ACTIVE):
            await runtime.part(OpenQueues).close(queue)
        return []
    policy = Policy.of(job.policy)
    while True:
        lease = leases.offered(runtime, job, host, token)
        if job.variable_scheduler and kind.takes_scheduler:
            tasks = await _pick_scheduled(runtime, job, queue, lease, count)
        elif count == 1 and policy.replicas == 1:
            tasks = await _pick_one(runtime, queue, lease)
        else:
            tasks = await _pick_many(runtime, queue, lease, count)
        claimed = await with_units(runtime, job, kind, tasks)
        # Tasks that nobody needs any more were cancelled by that: there may be others after them.
        if claimed or not tasks:
            return claimed


async def _pick_one(runtime: Runtime, queue: Queue, lease: Lease) -> list[Task]:
    """The quick way where hardly any unit has a second replica."""
    task = await runtime.store.tasks.claim_one(queue.id, lease, runtime.random.random())
    if task is None:
        await runtime.part(OpenQueues).close(queue)
        return []
    return await leases.assign(runtime, lease.host, lease.token, [task]) or await _pick_many(runtime, queue, lease, 1)


async def _pick_many(runtime: Runtime, queue: Queue, lease: Lease, count: int) -> list[Task]:
    """Ready tasks in random order, less those of units that the host has a replica of already."""
    start = runtime.random.random()
    chosen: dict[str, Task] = {}
    seen = False
    for begin, end in ((start, 1.0), (0.0, start)):
        position = begin
        for number in range(MOST_PAGES):
            limit = min((2 * (count - len(chosen)) + SPARE_CANDIDATES) << number, MOST_CANDIDATES)
            page = await runtime.store.tasks.ready(queue.id, start=position, end=end, limit=limit)
            seen = seen or bool(page)
            chosen |= await assignments.unheld(runtime, lease.host, page)
            if not page or len(chosen) >= count:
                break
            position = math.nextafter(page[-1].rand, 1.0)
        if len(chosen) >= count:
            break
    if not seen:
        await runtime.part(OpenQueues).close(queue)
    return await leases.grant(runtime, lease, list(chosen.values())[:count])


async def _pick_scheduled(runtime: Runtime, job: Job, queue: Queue, lease: Lease, count: int) -> list[Task]:
    """Where the owner's `variable_scheduler` chooses; at random where it doesn't."""
    tasks: list[Task] = []
    while len(tasks) < count:
        chosen = await variable_schedulers.choose_task(runtime, job, host=lease.host)
        taken = await leases.grant(runtime, lease, [chosen] if chosen else []) or await _pick_many(
            runtime, queue, lease, 1
        )
        if not taken:
            break
        tasks += taken
    return tasks


async def with_units(runtime: Runtime, job: Job, kind: UnitKind, tasks: Sequence[Task]) -> list[ClaimedTask]:
    """The tasks with what is to be computed; those of units that ended meanwhile are cancelled."""
    units = await kind.units(runtime).get_many(task.unit for task in tasks)
    wanted = [task for task in tasks if task.unit in units and not units[task.unit].finished_at]
    if len(wanted) < len(tasks):
        stale = {task.id for task in tasks} - {task.id for task in wanted}
        await runtime.store.tasks.finish(stale, TaskState.LEASED, TaskState.CANCELLED)
    if wanted:
        wanted = list(await kind.admit(runtime, units, wanted))
        await leases.adjust(runtime, job, units, wanted)
    return [ClaimedTask(task, units[task.unit], job) for task in wanted]
