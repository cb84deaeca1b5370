"""Handing out tasks: claim, extend and release leases."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from resolvers import assignments, hosts, variable_scheduling
from resolvers.errors import BadInput, LeaseLost
from resolvers.flows import engine
from resolvers.identifiers import check_lease, checked_text
from resolvers.lanes import USABLE_FOR_S
from resolvers.policies import Policy
from resolvers.runtime import Runtime
from resolvers.schedulers import Candidate, Request, Scheduler
from storage.documents import Job, JobState, Lane, LaneKind, Task, TaskState, Unit
from storage.tasks import Lease

MOST_AT_ONCE = 100
MOST_WISHES = 100
MAX_WISH_CHARACTERS = 300
MAX_KEY_CHARACTERS = 200
LEASE_CHARACTERS = 32
SPARE_CANDIDATES = 8
MOST_CANDIDATES = 1_000
MOST_PAGES = 10
IDLE_RETRY_S = 5
SOON_RETRY_S = 2


class WhyNoWork(StrEnum):
    """Why a claim came back empty."""

    DRAINING = "DRAINING"
    NO_OPEN_WORK = "NO_OPEN_WORK"
    NO_SUPPORTED_WORK = "NO_SUPPORTED_WORK"
    WAITING_FOR_OTHER_HOSTS = "WAITING_FOR_OTHER_HOSTS"


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Who asks for how many tasks, of which jobs and owners (empty: all), in the order of which scheduler.

    `lease` is the token of the leases that it gets, where it may be `repeated`: see `lease_of`.
    """

    host: str
    first: int = 1
    scheduler: str = ""
    jobs: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    lease: str = ""
    repeated: bool = False


def lease_of(host: hosts.HostIdentity, idempotency_key: str) -> str:
    """The token of the leases that a host's claim with this key gets, each time it is made; nobody else can tell it.
    Empty: each claim is another one."""
    if not idempotency_key:
        return ""
    return hashlib.sha256(f"{host.token}\0{idempotency_key}".encode()).hexdigest()[:LEASE_CHARACTERS]


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    task: Task
    unit: Unit
    job: Job


@dataclass(slots=True)
class Claim:
    tasks: list[ClaimedTask] = field(default_factory=list)
    why_no_work: WhyNoWork | None = None
    retry_after_s: int = 0


async def claim(runtime: Runtime, request: ClaimRequest) -> Claim:
    """Lease up to `first` tasks to a host, never two replicas of one unit.

    A claim that is repeated, since its answer was lost, gets the tasks that it leased and that are still held. An empty
    claim says why and when to ask again. Raises what `check` raises.
    """
    check(runtime, request)
    if runtime.draining:
        return Claim(why_no_work=WhyNoWork.DRAINING, retry_after_s=SOON_RETRY_S)
    hosts.note_interests(runtime, request.host, request.owners, request.jobs)
    if request.repeated and request.lease and (claimed := await _claimed_before(runtime, request)):
        return Claim(claimed)
    known = await runtime.lanes.snapshot(USABLE_FOR_S)
    tasks = await _take_from(runtime, offer(runtime, known, request), request)
    if not tasks and (current := await runtime.lanes.snapshot()) != known:
        known = current
        tasks = await _take_from(runtime, offer(runtime, known, request), request)
    if tasks:
        runtime.handouts.note(request.scheduler or runtime.default_scheduler, len(tasks), runtime.now())
        return Claim(tasks)
    why = await _why(runtime, known, offer(runtime, known, request))
    return Claim(why_no_work=why, retry_after_s=IDLE_RETRY_S if why is WhyNoWork.NO_OPEN_WORK else SOON_RETRY_S)


def check(runtime: Runtime, request: ClaimRequest, idempotency_key: str = "") -> None:
    """Raises BadInput for an unknown scheduler, too many tasks, and wishes that make no sense; whoever asks."""
    checked_text(idempotency_key, field="idempotencyKey", most=MAX_KEY_CHARACTERS)
    if not 1 <= request.first <= MOST_AT_ONCE:
        raise BadInput(f"first takes a whole number from 1 to {MOST_AT_ONCE}, got {request.first}", field="first")
    _scheduler(runtime, request)
    for field_name, wishes in (("jobs", request.jobs), ("owners", request.owners)):
        if len(wishes) > MOST_WISHES:
            raise BadInput(f"{field_name} takes at most {MOST_WISHES} at once, got {len(wishes)}", field=field_name)
        for wish in wishes:
            checked_text(wish, field=field_name, most=MAX_WISH_CHARACTERS)


async def _claimed_before(runtime: Runtime, request: ClaimRequest) -> list[ClaimedTask]:
    """What a claim with this lease got the last time; the process that carried it out may have ended half-way."""
    by_job: dict[tuple[str, LaneKind], list[Task]] = defaultdict(list)
    for task in await runtime.store.tasks.leased_by(request.lease, limit=MOST_AT_ONCE):
        by_job[task.job, LaneKind.of(task.unit)].append(task)
    claimed: list[ClaimedTask] = []
    for (key, kind), tasks in by_job.items():
        job = await runtime.store.jobs.by_key(key)
        if job is not None:
            kept = await _assign(runtime, request.host, request.lease, tasks)
            claimed += await _with_units(runtime, job, kind, kept)
    return claimed


async def _take_from(runtime: Runtime, offered: Sequence[Lane], request: ClaimRequest) -> list[ClaimedTask]:
    tasks: list[ClaimedTask] = []
    for lane in offered:
        tasks += await _take(runtime, lane, request, request.first - len(tasks))
        if len(tasks) >= request.first:
            break
    return tasks


def _scheduler(runtime: Runtime, request: ClaimRequest) -> Scheduler:
    name = request.scheduler or runtime.default_scheduler
    if name not in runtime.schedulers:
        known = ", ".join(sorted(runtime.schedulers))
        raise BadInput(f"there is no job scheduler {name[:100]!r}; there are: {known}", field="scheduler")
    return runtime.schedulers[name]


def offer(runtime: Runtime, lanes: Sequence[Lane], request: ClaimRequest) -> list[Lane]:
    """The lanes to try, in the scheduler's order, flow runs before standing variables.

    Raises BadInput for an unknown scheduler.
    """
    scheduler = _scheduler(runtime, request)
    wanted = [
        lane
        for lane in lanes
        if (not request.jobs or lane.job in request.jobs) and (not request.owners or lane.owner in request.owners)
    ]
    offered: list[Lane] = []
    for kind in (LaneKind.FLOW, LaneKind.VARIABLES):
        by_job = {lane.job: lane for lane in wanted if lane.kind == kind}
        candidates = [Candidate.of(lane) for lane in by_job.values()]
        offered += [by_job[each.job] for each in scheduler(candidates, Request(request.owners, runtime.random))]
    return offered


async def _why(runtime: Runtime, open_lanes: Sequence[Lane], offered: Sequence[Lane]) -> WhyNoWork:
    still_open = {lane.id for lane in await runtime.lanes.snapshot()}
    if any(lane.id in still_open for lane in offered):
        return WhyNoWork.WAITING_FOR_OTHER_HOSTS
    if open_lanes and not offered:
        return WhyNoWork.NO_SUPPORTED_WORK
    return WhyNoWork.NO_OPEN_WORK


async def _take(runtime: Runtime, lane: Lane, request: ClaimRequest, count: int) -> list[ClaimedTask]:
    """Lease up to `count` tasks of one lane."""
    job = await runtime.store.jobs.by_key(lane.job)
    if job is None or job.state == JobState.ARCHIVED:
        await runtime.lanes.close(lane)
        return []
    policy = Policy.of(job.policy)
    while True:
        now = runtime.now()
        token = request.lease or secrets.token_urlsafe(16)
        lease = Lease(token, request.host, now, now + policy.delay_bound_ms)
        if job.variable_scheduler and lane.kind == LaneKind.VARIABLES:
            tasks = await _take_scheduled(runtime, job, lane, lease, count)
        elif count == 1 and policy.replicas == 1:
            tasks = await _take_one(runtime, lane, lease)
        else:
            tasks = await _take_many(runtime, lane, lease, count)
        claimed = await _with_units(runtime, job, LaneKind(lane.kind), tasks)
        # Tasks that nobody needs any more were cancelled by that: there may be others behind them.
        if claimed or not tasks:
            return claimed


async def _take_one(runtime: Runtime, lane: Lane, lease: Lease) -> list[Task]:
    """The quick way where hardly any unit has a second replica."""
    task = await runtime.store.tasks.claim_one(lane.id, lease, runtime.random.random())
    if task is None:
        await runtime.lanes.close(lane)
        return []
    return await _assign(runtime, lease.host, lease.token, [task]) or await _take_many(runtime, lane, lease, 1)


async def _take_many(runtime: Runtime, lane: Lane, lease: Lease, count: int) -> list[Task]:
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
    return await _assign(runtime, lease.host, lease.token, leased) if leased else []


async def _take_scheduled(runtime: Runtime, job: Job, lane: Lane, lease: Lease, count: int) -> list[Task]:
    """Where the owner's `variable_scheduler` chooses; at random where it doesn't."""
    tasks: list[Task] = []
    while len(tasks) < count:
        chosen = await variable_scheduling.choose_task(runtime, job, host=lease.host)
        taken = await _lease(runtime, lease, [chosen] if chosen else []) or await _take_many(runtime, lane, lease, 1)
        if not taken:
            break
        tasks += taken
    return tasks


async def _assign(runtime: Runtime, host: str, token: str, tasks: Sequence[Task]) -> list[Task]:
    """Keep those leased tasks of whose units the host has no other replica; give the rest back."""
    kept = await assignments.assign(runtime, host, token, tasks)
    await give_back(runtime, [task for task in tasks if task not in kept], token)
    return kept


async def give_back(runtime: Runtime, tasks: Sequence[Task], token: str) -> int:
    """Make leased tasks ready for others; how many of them `token` still held."""
    if not tasks:
        return 0
    until = runtime.now() + runtime.takeover_ms
    released = await runtime.store.tasks.release([task.id for task in tasks], token, until=until)
    await _cancel_unwanted(runtime, tasks)
    await runtime.lanes.wake(task.lane for task in tasks)
    return released


async def _cancel_unwanted(runtime: Runtime, tasks: Sequence[Task]) -> None:
    """Of tasks that are ready again, cancel those whose units ended while they were leased."""
    by_kind: dict[LaneKind, list[Task]] = defaultdict(list)
    for task in tasks:
        by_kind[LaneKind.of(task.unit)].append(task)
    for kind, group in by_kind.items():
        units = await runtime.store.units(kind).get_many(task.unit for task in group)
        ended = [task.id for task in group if task.unit not in units or units[task.unit].finished_at]
        if ended:
            await runtime.store.tasks.cancel_ready(ended)


async def _with_units(runtime: Runtime, job: Job, kind: LaneKind, tasks: Sequence[Task]) -> list[ClaimedTask]:
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


def _check(held: Sequence[HeldTask]) -> None:
    if not 1 <= len(held) <= MOST_AT_ONCE:
        raise BadInput(f"tasks takes 1 to {MOST_AT_ONCE} at once, got {len(held)}", field="tasks")
    for at, each in enumerate(held):
        check_lease(each.task, each.token, field=f"tasks[{at}]")
