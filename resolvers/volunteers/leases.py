"""A lease's whole life: granted, extended, released, or expired."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from resolvers.errors import BadInput, LeaseLost
from resolvers.identifiers import check_lease
from resolvers.runtime import Runtime
from resolvers.units import assignments, decisions, replicas
from resolvers.units.kinds import UnitKinds
from resolvers.units.policies import Policy
from resolvers.units.queues import OpenQueues
from storage import Job, Lease, Task, TaskState, Unit

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


@dataclass(frozen=True, slots=True)
class Release:
    """How many tasks were still held, and which members can't name one."""

    count: int
    problems: list[LeaseLost]


def deadline(since: int, job: Job, unit: Unit | None = None) -> int:
    """Until when a lease runs that was granted or extended at `since` (both in ms since the epoch): for the delay bound
    of the policy that the unit is computed under."""
    own = unit.policy if unit else {}
    return since + Policy.of(own or job.policy).delay_bound_ms


def offered(runtime: Runtime, job: Job, host: str, token: str = "") -> Lease:
    """The lease that a host gets tasks of a job by; `token` is its token, by default a random one."""
    now = runtime.now()
    return Lease(token or secrets.token_urlsafe(16), host, now, deadline(now, job))


async def grant(runtime: Runtime, lease: Lease, tasks: Sequence[Task]) -> list[Task]:
    """READY -> LEASED for those of the tasks that are still ready, and of whose units the host has no other replica."""
    leased = await runtime.store.tasks.claim([task.id for task in tasks], lease) if tasks else []
    return await assign(runtime, lease.host, lease.token, leased) if leased else []


async def assign(runtime: Runtime, host: str, token: str, tasks: Sequence[Task]) -> list[Task]:
    """Keep those leased tasks of whose units the host has no other replica; give the rest back."""
    kept = await assignments.assign(runtime, host, token, tasks)
    await give_back(runtime, [task for task in tasks if task not in kept], token)
    return kept


async def adjust(runtime: Runtime, job: Job, units: Mapping[str, Unit], tasks: Sequence[Task]) -> None:
    """Leases are granted before their units are read: where a unit has a policy of its own, its deadline holds."""
    others: dict[tuple[str, int], list[Task]] = defaultdict(list)
    for task in tasks:
        until = deadline(task.leased_at, job, units[task.unit])
        if until != deadline(task.leased_at, job):
            task.until = until
            others[task.lease, until].append(task)
    for (token, until), group in others.items():
        await runtime.store.tasks.extend([task.id for task in group], token, until)


async def extend(runtime: Runtime, held: Sequence[HeldTask]) -> list[Extension]:
    """Heartbeat: the leases run for their policy's delay bound from now on; one answer for each, in order.

    A lease is lost whose unit has ended or is deleted, or whose job was rejected: its host can stop, since a result
    would not be taken.
    Raises BadInput for too many.
    """
    problems = _problems(held)
    tasks = await runtime.store.tasks.get_many(each.task for at, each in enumerate(held) if at not in problems)
    wanted = await runtime.part(UnitKinds).read_wanted({task.unit for task in tasks.values()})
    now = runtime.now()
    groups: dict[tuple[str, int], list[Task]] = defaultdict(list)
    for at, each in enumerate(held):
        task = tasks.get(each.task)
        if at in problems or task is None or not _holds(task, each.token):
            continue
        unit, job = wanted.get(task.unit), await runtime.store.jobs.by_key(task.job)
        if unit is None or job is None:
            problems[at] = _unwanted("its job, variable or flow is deleted, or was rejected", each.task, at)
        elif unit.finished_at:
            problems[at] = _unwanted(unit.reason or "other results decided it", each.task, at)
        else:
            until = deadline(now, job, unit)
            groups[each.token, until].append(task)
    extended: dict[tuple[str, str], Task] = {}
    for (token, until), group in groups.items():
        for task in await _extend(runtime, token, group, until):
            extended[task.id, token] = task
    return [
        Extension(None, problems[at]) if at in problems else _extension(at, each, extended.get((each.task, each.token)))
        for at, each in enumerate(held)
    ]


def _holds(task: Task, token: str) -> bool:
    return task.status == TaskState.LEASED and task.lease == token


def _unwanted(why: str, task: str, at: int) -> LeaseLost:
    return LeaseLost(f"nobody waits for the task {task} any more, stop computing it: {why}", field=f"tasks[{at}]")


def _extension(at: int, held: HeldTask, task: Task | None) -> Extension:
    if task is not None:
        return Extension(task)
    return Extension(None, LeaseLost(f"the lease of the task {held.task} is no longer held", field=f"tasks[{at}]"))


async def _extend(runtime: Runtime, token: str, tasks: Sequence[Task], until: int) -> list[Task]:
    """Those of the tasks that `token` still holds, with their new deadlines (ms since the epoch)."""
    ids = [task.id for task in tasks]
    if await runtime.store.tasks.extend(ids, token, until) == len(ids):
        return [replace(task, until=until) for task in tasks]
    current = (await runtime.store.tasks.get_many(ids)).values()
    return [task for task in current if _holds(task, token)]


async def release(runtime: Runtime, held: Sequence[HeldTask]) -> Release:
    """Give tasks back without penalty. Releasing twice is no error. Raises BadInput for too many."""
    problems = _problems(held)
    tasks = await runtime.store.tasks.get_many(each.task for at, each in enumerate(held) if at not in problems)
    by_token: dict[str, list[Task]] = defaultdict(list)
    for at, each in enumerate(held):
        if at not in problems and each.task in tasks:
            by_token[each.token].append(tasks[each.task])
    count = sum([await give_back(runtime, group, token) for token, group in by_token.items()])
    return Release(count, list(problems.values()))


async def give_up(runtime: Runtime, tasks: Sequence[Task]) -> None:
    """Make tasks ready for others, whatever leases they are held by."""
    by_token: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_token[task.lease].append(task)
    for token, group in by_token.items():
        await give_back(runtime, group, token)


async def give_up_of(runtime: Runtime, host: str, limit: int) -> int:
    """Make up to `limit` tasks that a host holds ready for others; how many there were."""
    held = await runtime.store.tasks.held_by(host, limit)
    await give_up(runtime, held)
    return len(held)


async def give_back(runtime: Runtime, tasks: Sequence[Task], token: str) -> int:
    """Make leased tasks ready for others; how many of them `token` still held."""
    if not tasks:
        return 0
    until = runtime.now() + runtime.takeover_ms
    released = await runtime.store.tasks.release([task.id for task in tasks], token, until=until)
    await replicas.cancel_unwanted(runtime, tasks)
    await runtime.part(OpenQueues).wake(task.queue for task in tasks)
    return released


async def begin_expiry(runtime: Runtime, limit: int) -> list[Task]:
    """LEASED past its deadline -> EXPIRING; the tasks whose expiry is to be finished, at most `limit`."""
    now, tasks = runtime.now(), runtime.store.tasks
    overdue = [task.id for task in await tasks.overdue(TaskState.LEASED, now=now, limit=limit)]
    if overdue:
        await tasks.begin_expiry(overdue, now=now, until=now)
    expiring = await tasks.overdue(TaskState.EXPIRING, now=now + 1, limit=limit)
    if expiring:
        await tasks.postpone([task.id for task in expiring], TaskState.EXPIRING, now + runtime.takeover_ms)
    return list(expiring)


async def finish_expiry(runtime: Runtime, expiring: Sequence[Task]) -> None:
    """EXPIRING -> EXPIRED: their units get other tasks, or are given up."""
    units = await runtime.part(UnitKinds).read({task.unit for task in expiring})
    await decisions.decide(runtime, list(units.values()), [])
    # A process that died may have stored a replacement without waking its queue.
    await runtime.part(OpenQueues).wake(task.queue for task in expiring)
    await runtime.store.tasks.finish([task.id for task in expiring], TaskState.EXPIRING, TaskState.EXPIRED)


def _problems(held: Sequence[HeldTask]) -> dict[int, LeaseLost]:
    """The members that can't name a task and its lease, by their places. Raises BadInput for too many of them."""
    if not 1 <= len(held) <= MOST_AT_ONCE:
        raise BadInput(f"tasks takes 1 to {MOST_AT_ONCE} at once, got {len(held)}", field="tasks")
    problems: dict[int, LeaseLost] = {}
    for at, each in enumerate(held):
        try:
            check_lease(each.task, each.token, field=f"tasks[{at}]")
        except LeaseLost as problem:
            problems[at] = problem
    return problems
