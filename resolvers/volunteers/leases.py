"""Leases that hosts hold: extend and release them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from resolvers.errors import BadInput, LeaseLost
from resolvers.identifiers import check_lease
from resolvers.runtime import Runtime
from resolvers.units import replicas
from resolvers.units.policies import Policy
from storage.tasks import Task, TaskState

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class HeldTask:
    """A task's id and the token of the lease it is held by."""

    task: str
    token: str


@dataclass(frozen=True, slots=True)
class Extension:
    """The task whose lease runs on, or why it doesn't."""

    task: Task | None
    problem: LeaseLost | None = None


async def extend(runtime: Runtime, held: Sequence[HeldTask]) -> list[Extension]:
    """Heartbeat: the leases run for their policy's delay bound from now on; one answer for each, in order.

    Raises BadInput for too many, and LeaseLost for a name that can't be a task's.
    """
    _check(held)
    tasks = await runtime.store.tasks.get_many(each.task for each in held)
    bounds = await _delay_bounds(runtime, tasks.values())
    groups: dict[tuple[str, int], list[Task]] = defaultdict(list)
    for each in held:
        if each.task in tasks:
            groups[each.token, bounds[each.task]].append(tasks[each.task])
    extended: dict[tuple[str, str], Task] = {}
    for (token, bound_ms), group in groups.items():
        for task in await _extend(runtime, token, group, runtime.now() + bound_ms):
            extended[task.id, token] = task
    return [_extension(at, each, extended.get((each.task, each.token))) for at, each in enumerate(held)]


def _extension(at: int, held: HeldTask, task: Task | None) -> Extension:
    if task is not None:
        return Extension(task)
    return Extension(None, LeaseLost(f"the lease of the task {held.task} is no longer held", field=f"tasks[{at}]"))


async def _delay_bounds(runtime: Runtime, tasks: Collection[Task]) -> dict[str, int]:
    """How long the lease of each task runs, in ms: a flow's job may have a policy of its own."""
    runs = await runtime.store.runs.get_many(task.unit for task in tasks if task.flow)
    bounds: dict[str, int] = {}
    for task in tasks:
        job = await runtime.store.jobs.by_key(task.job)
        stored = runs[task.unit].policy if task.unit in runs else job.policy if job is not None else {}
        bounds[task.id] = Policy.of(stored).delay_bound_ms
    return bounds


async def _extend(runtime: Runtime, token: str, tasks: Sequence[Task], until: int) -> list[Task]:
    """Those of the tasks that `token` still holds, with their new deadlines (ms since the epoch)."""
    ids = [task.id for task in tasks]
    if await runtime.store.tasks.extend(ids, token, until) == len(ids):
        return [replace(task, until=until) for task in tasks]
    current = (await runtime.store.tasks.get_many(ids)).values()
    return [task for task in current if task.status == TaskState.LEASED and task.lease == token]


async def release(runtime: Runtime, held: Sequence[HeldTask]) -> int:
    """Give tasks back without penalty; how many of them were still held. Releasing twice is no error."""
    _check(held)
    tasks = await runtime.store.tasks.get_many(each.task for each in held)
    by_token: dict[str, list[Task]] = defaultdict(list)
    for each in held:
        if each.task in tasks:
            by_token[each.token].append(tasks[each.task])
    return sum([await give_back(runtime, group, token) for token, group in by_token.items()])


async def give_back(runtime: Runtime, tasks: Sequence[Task], token: str) -> int:
    """Make leased tasks ready for others; how many of them `token` still held."""
    if not tasks:
        return 0
    until = runtime.now() + runtime.takeover_ms
    released = await runtime.store.tasks.release([task.id for task in tasks], token, until=until)
    await replicas.cancel_unwanted(runtime, tasks)
    await runtime.lanes.wake(task.lane for task in tasks)
    return released


def _check(held: Sequence[HeldTask]) -> None:
    if not 1 <= len(held) <= MOST_AT_ONCE:
        raise BadInput(f"tasks takes 1 to {MOST_AT_ONCE} at once, got {len(held)}", field="tasks")
    for at, each in enumerate(held):
        check_lease(each.task, each.token, field=f"tasks[{at}]")
