"""Carrying on where a host or a process died. Every process sweeps; all of it is safe to repeat."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from resolvers.errors import StorageUnavailable
from resolvers.flows import archived, recovery
from resolvers.isolation import by_itself
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.units import decisions, replicas
from resolvers.volunteers import hosts, reports
from storage.queues import LaneKind
from storage.results import Result
from storage.tasks import Task, TaskState
from storage.units import Unit

BATCH = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found to do."""

    expired: int
    recovered: int
    opened: int
    resumed: int

    @property
    def total(self) -> int:
        return self.expired + self.recovered + self.opened + self.resumed


async def sweep(runtime: Runtime) -> Swept:
    """Create the tasks of units that never got theirs, expire leases that ran out, carry through reports and
    releases that a process left half-way; move flows on, forget old requests.

    What runs owners' code comes last: a sandbox that is away holds nothing else up.
    """
    await runtime.lanes.flush()
    await runtime.store.requests.forget_overdue(runtime.now())
    await hosts.store_interests(runtime)
    opened = await _open_units(runtime)
    expired = await _expire(runtime)
    released = await _wake_released(runtime)
    await runtime.lanes.snapshot()
    recovered = await _recover_reports(runtime) + released
    await _fail_archived(runtime)
    return Swept(expired, recovered, opened, await recovery.sweep(runtime, BATCH))


async def _expire(runtime: Runtime) -> int:
    now = runtime.now()
    tasks = runtime.store.tasks
    overdue = [task.id for task in await tasks.overdue(TaskState.LEASED, now=now, limit=BATCH)]
    if overdue:
        await tasks.begin_expiry(overdue, now=now, until=now)
    expiring = await tasks.overdue(TaskState.EXPIRING, now=now + 1, limit=BATCH)
    if not expiring:
        return 0
    await tasks.postpone([task.id for task in expiring], TaskState.EXPIRING, now + runtime.takeover_ms)
    return await _each_by_itself(expiring, functools.partial(_finish_expiry, runtime))


async def _finish_expiry(runtime: Runtime, expiring: Sequence[Task]) -> None:
    units = await decisions.read_units(runtime, {task.unit for task in expiring})
    await decisions.assess(runtime, list(units.values()), [])
    # A process that died may have stored a replacement without waking its lane.
    await runtime.lanes.wake(task.lane for task in expiring)
    await runtime.store.tasks.finish([task.id for task in expiring], TaskState.EXPIRING, TaskState.EXPIRED)


async def _recover_reports(runtime: Runtime) -> int:
    now = runtime.now()
    tasks = runtime.store.tasks
    stuck = await tasks.overdue(TaskState.REPORTING, now=now, limit=BATCH)
    if not stuck:
        return 0
    results = await runtime.store.results.get_many(task.id for task in stuck)
    unreported = [task.id for task in stuck if task.id not in results]
    await tasks.abandon_report(unreported, now=now, until=now)
    reported = [task for task in stuck if task.id in results]
    await tasks.postpone([task.id for task in reported], TaskState.REPORTING, now + runtime.takeover_ms)
    await _each_by_itself(reported, functools.partial(_settle, runtime, results))
    await runtime.lanes.wake(task.lane for task in reported)
    return len(stuck)


async def _fail_archived(runtime: Runtime) -> None:
    """Fail what flows wait for of archived jobs."""
    for lane in await archived.lanes(runtime):
        found, start = False, 0.0
        while waiting := await runtime.store.tasks.ready(lane.id, start=start, end=1.0, limit=BATCH):
            await _each_by_itself(waiting, functools.partial(archived.fail_runs, runtime))
            found, start = True, math.nextafter(waiting[-1].rand, 1.0)
        if not found:
            await runtime.lanes.close(lane)


async def _wake_released(runtime: Runtime) -> int:
    """Wake the lanes of tasks that were given back, in case a process died before it did."""
    released = await runtime.store.tasks.overdue(TaskState.READY, now=runtime.now(), limit=BATCH)
    if released:
        await runtime.lanes.wake(task.lane for task in released)
        await runtime.store.tasks.postpone([task.id for task in released], TaskState.READY, 0)
    return len(released)


async def _each_by_itself(tasks: Sequence[Task], carry_on: Callable[[Sequence[Task]], Awaitable[None]]) -> int:
    """Carry on all at once; where something goes wrong each by itself, so that none holds the others up. How many
    are through."""
    if len(tasks) > 1:
        try:
            await carry_on(tasks)
        except StorageUnavailable:
            raise
        except Exception:
            return sum([await _each_by_itself([task], carry_on) for task in tasks])
        return len(tasks)
    for task in tasks:
        with by_itself(task.id):
            await carry_on(tasks)
            return 1
    return 0


async def _settle(runtime: Runtime, results: Mapping[str, Result], tasks: Sequence[Task]) -> None:
    units = await decisions.read_units(runtime, {task.unit for task in tasks})
    waiting: dict[str, list[tuple[Result, Unit]]] = defaultdict(list)
    for task in tasks:
        if results[task.id].waits_for_validator:
            waiting[task.job].append((results[task.id], units[task.unit]))
    for job_key, group in waiting.items():
        await reports.judge_results(runtime, await jobs.get(runtime, job_key), group)
        judged = [result for result, _ in group if not result.waits_for_validator]
        settled = [result for result in judged if await runtime.store.results.settle(result)]
        await reports.blame_failures(runtime, settled)
    ready = [results[task.id] for task in tasks]
    await reports.settle(runtime, [result for result in ready if not result.waits_for_validator], units)


async def _open_units(runtime: Runtime) -> int:
    opened = 0
    for kind in LaneKind:
        groups: dict[str, list[Unit]] = defaultdict(list)
        for unit in await runtime.store.units(kind).unfinished_business(runtime.now(), BATCH):
            groups[unit.job].append(unit)
        for job_key, units in groups.items():
            await replicas.open_units(runtime, await jobs.get(runtime, job_key), units)
            opened += len(units)
    return opened
