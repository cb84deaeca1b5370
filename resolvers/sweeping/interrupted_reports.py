"""Reports that a process took, and did not live to draw the consequences of."""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from resolvers.runtime import Runtime
from resolvers.sweeping.isolation import each_by_itself
from resolvers.units import credit
from resolvers.units.kinds import UnitKinds
from resolvers.units.queues import OpenQueues
from resolvers.volunteers import reports
from storage import Result, Task, TaskState, Unit


async def carry_on(runtime: Runtime, limit: int) -> int:
    """Carry on up to `limit` reports, and abandon those of which no result was stored; how many there were."""
    now, tasks = runtime.now(), runtime.store.tasks
    stuck = await tasks.overdue(TaskState.REPORTING, now=now, limit=limit)
    if not stuck:
        return 0
    results = await runtime.store.results.get_many(task.id for task in stuck)
    unreported = [task.id for task in stuck if task.id not in results]
    await tasks.abandon_report(unreported, now=now, until=now)
    reported = [task for task in stuck if task.id in results]
    await tasks.postpone([task.id for task in reported], TaskState.REPORTING, now + runtime.takeover_ms)
    await _each_job_by_itself(reported, functools.partial(_finish, runtime, results))
    return len(stuck)


async def _each_job_by_itself(tasks: Sequence[Task], finish: Callable[[Sequence[Task]], Awaitable[None]]) -> None:
    """Finish the tasks of all jobs at the same time: one whose validator takes long lets the sandbox give turns to the
    others. Raises StorageUnavailable."""
    by_job: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_job[task.job].append(task)
    finished = await asyncio.gather(
        *(each_by_itself(group, finish) for group in by_job.values()), return_exceptions=True
    )
    for problem in finished:
        if isinstance(problem, BaseException):
            raise problem


async def _finish(runtime: Runtime, results: Mapping[str, Result], tasks: Sequence[Task]) -> None:
    units = await runtime.part(UnitKinds).read({task.unit for task in tasks})
    waiting: dict[str, list[tuple[Result, Unit]]] = defaultdict(list)
    for task in tasks:
        if task.unit in units and results[task.id].waits_for_validator:
            waiting[task.job].append((results[task.id], units[task.unit]))
    for job_key, group in waiting.items():
        job = await runtime.store.jobs.by_key(job_key)
        if job is None:
            continue
        await reports.judge_results(runtime, job, group)
        judged = [result for result, _ in group if not result.waits_for_validator]
        stored = [result for result in judged if await runtime.store.results.settle(result)]
        await credit.blame_failures(runtime, stored)
    # Before the tasks are closed: whoever did not live to close them may have added others, and not have said so.
    await runtime.part(OpenQueues).wake(task.queue for task in tasks)
    # What belongs to units that are deleted is removed with these.
    ready = [results[task.id] for task in tasks if task.unit in units]
    await reports.settle(runtime, [result for result in ready if not result.waits_for_validator], units)
