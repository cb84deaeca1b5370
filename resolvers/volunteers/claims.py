"""Handing out tasks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from resolvers.access.review import is_approved
from resolvers.errors import BadInput
from resolvers.idempotency import Repeatable
from resolvers.identifiers import checked_text
from resolvers.runtime import Runtime
from resolvers.schedulers import Candidate, Request, Scheduler
from resolvers.space import Space
from resolvers.units.kinds import UnitKind, UnitKinds
from resolvers.units.queues import USABLE_FOR_S, OpenQueues
from resolvers.volunteers import hosts, leases, picking
from resolvers.volunteers.blocks import Blocks
from resolvers.volunteers.claim_counts import ClaimCounts
from resolvers.volunteers.held_tasks import HeldTasks
from resolvers.volunteers.host_links import HostLinks
from resolvers.volunteers.interests import Interests
from resolvers.volunteers.picking import ClaimedTask
from storage import Queue, Task

MOST_AT_ONCE = 100
MOST_WISHES = 100
MAX_WISH_CHARACTERS = 300
IDLE_RETRY_S = 5
SOON_RETRY_S = 2
BLOCKED_RETRY_S = 900


class WhyNoWork(StrEnum):
    """Why a claim came back empty."""

    DRAINING = "DRAINING"
    NO_OPEN_WORK = "NO_OPEN_WORK"
    NO_SUPPORTED_WORK = "NO_SUPPORTED_WORK"
    WAITING_FOR_OTHER_HOSTS = "WAITING_FOR_OTHER_HOSTS"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Who asks for how many tasks, of which jobs and owners (empty: all), in the order of which scheduler.

    `lease` is the token of the leases that it gets, where it may be `repeated` by its `idempotency_key`.
    """

    host: str
    first: int = 1
    scheduler: str = ""
    jobs: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    idempotency_key: str = ""
    repeated: bool = False
    lease: str = ""


@dataclass(slots=True)
class Claim:
    tasks: list[ClaimedTask] = field(default_factory=list)
    why_no_work: WhyNoWork | None = None
    retry_after_s: int = 0


async def claim_as(
    runtime: Runtime, token: str | None, name: str, request: ClaimRequest, *, group: str = "", account: str = ""
) -> tuple[hosts.HostIdentity | None, Claim]:
    """As `claim`, for the host that `token` speaks for, or for a new one of an address `group` that is called `name`;
    with the host, which is a machine of the `account` from now on (empty: of whose it was). A host that is blocked gets
    nothing, and none is made for who is; then it is None.

    Also raises what `identify` raises.
    """
    check(runtime, request)  # Before a host is made that would never learn its token.
    if runtime.part(Blocks).of(host=hosts.key_in(token), group=group):
        host = hosts.known(runtime, token) if token else None
        return host, Claim(why_no_work=WhyNoWork.BLOCKED, retry_after_s=BLOCKED_RETRY_S)
    host = await hosts.identify(runtime, token, name, group=group)
    links = runtime.part(HostLinks)
    if not token:
        links.know_new(host.key, group)
    await links.link(host.key, account=account, group=group)
    lease = _lease_of(host, request)
    return host, await claim(runtime, replace(request, host=host.key, lease=lease))


def _lease_of(host: hosts.HostIdentity, request: ClaimRequest) -> str:
    """The token of the leases that a host gets by this claim, each time that it is made with the same key; nobody else
    can guess it. Empty: each claim is another one."""
    return Repeatable(f"claim {host.token}", request.idempotency_key, lambda: _meaning(request)).mark


def _meaning(request: ClaimRequest) -> list[Any]:
    return [request.first, request.scheduler, sorted(request.jobs), sorted(request.owners)]


async def claim(runtime: Runtime, request: ClaimRequest) -> Claim:
    """Lease up to `first` tasks to a host, never two replicas of one unit.

    A claim that is repeated, since its answer was lost, gets the tasks that it leased and that are still held. An empty
    claim says why and when to ask again. Raises RateLimited for a host that holds too many, and what `check` raises.
    """
    check(runtime, request)
    if runtime.draining:
        return Claim(why_no_work=WhyNoWork.DRAINING, retry_after_s=SOON_RETRY_S)
    runtime.part(Interests).note(request.host, request.owners, request.jobs)
    if request.repeated and request.lease and (claimed := await _claimed_before(runtime, request)):
        return Claim(claimed)
    held = runtime.part(HeldTasks)
    request = replace(request, first=await held.room(request.host, request.first))
    known = await runtime.part(OpenQueues).snapshot(USABLE_FOR_S)
    tasks = await _take_from(runtime, offer(runtime, known, request), request)
    if not tasks and (current := await runtime.part(OpenQueues).snapshot()) != known:
        known = current
        tasks = await _take_from(runtime, offer(runtime, known, request), request)
    if tasks:
        held.note(request.host, [each.task.id for each in tasks])
        runtime.part(ClaimCounts).note(request.scheduler or runtime.default_scheduler, len(tasks))
        return Claim(tasks)
    why = await _why(runtime, known, offer(runtime, known, request))
    return Claim(why_no_work=why, retry_after_s=IDLE_RETRY_S if why is WhyNoWork.NO_OPEN_WORK else SOON_RETRY_S)


def check(runtime: Runtime, request: ClaimRequest) -> None:
    """Raises BadInput for an unknown scheduler, too many tasks, and wishes that make no sense, and Unavailable while
    there is no room for new work; whoever asks."""
    Repeatable("claim", request.idempotency_key, lambda: _meaning(request))
    if not 1 <= request.first <= MOST_AT_ONCE:
        raise BadInput(f"first takes a whole number from 1 to {MOST_AT_ONCE}, got {request.first}", field="first")
    _scheduler(runtime, request)
    for field_name, wishes in (("jobs", request.jobs), ("owners", request.owners)):
        if len(wishes) > MOST_WISHES:
            raise BadInput(f"{field_name} takes at most {MOST_WISHES} at once, got {len(wishes)}", field=field_name)
        for wish in wishes:
            checked_text(wish, field=field_name, most=MAX_WISH_CHARACTERS)
    runtime.part(Space).check_for_work()


async def _claimed_before(runtime: Runtime, request: ClaimRequest) -> list[ClaimedTask]:
    """What a claim with this lease got the last time; the process that carried it out may have ended half-way."""
    by_job: dict[tuple[str, UnitKind], list[Task]] = defaultdict(list)
    for task in await runtime.store.tasks.leased_by(request.lease, limit=MOST_AT_ONCE):
        by_job[task.job, runtime.part(UnitKinds).of(task.unit)].append(task)
    claimed: list[ClaimedTask] = []
    for (key, kind), tasks in by_job.items():
        job = await runtime.store.jobs.by_key(key)
        if job is not None and is_approved(job):
            kept = await leases.assign(runtime, request.host, request.lease, tasks)
            claimed += await picking.with_units(runtime, job, kind, kept)
    return claimed


async def _take_from(runtime: Runtime, offered: Sequence[Queue], request: ClaimRequest) -> list[ClaimedTask]:
    tasks: list[ClaimedTask] = []
    for queue in offered:
        tasks += await picking.pick(runtime, queue, request.first - len(tasks), host=request.host, token=request.lease)
        if len(tasks) >= request.first:
            break
    return await _that_fit(runtime, tasks)


async def _that_fit(runtime: Runtime, tasks: list[ClaimedTask]) -> list[ClaimedTask]:
    """As many of the first tasks as one answer has room for, at least one; the others are given back."""
    room, number = runtime.limits.answer_bytes or math.inf, 0
    for number, each in enumerate(tasks):
        room -= len(each.unit.value) + len(each.unit.context)
        if room < 0 and number:
            break
    else:
        return tasks
    await leases.give_up(runtime, [each.task for each in tasks[number:]])
    return tasks[:number]


def _scheduler(runtime: Runtime, request: ClaimRequest) -> Scheduler:
    name = request.scheduler or runtime.default_scheduler
    if name not in runtime.schedulers:
        known = ", ".join(sorted(runtime.schedulers))
        raise BadInput(f"there is no job scheduler {name[:100]!r}; there are: {known}", field="scheduler")
    return runtime.schedulers[name]


def offer(runtime: Runtime, queues: Sequence[Queue], request: ClaimRequest) -> list[Queue]:
    """The queues to try: kind by kind, each in the scheduler's order.

    Raises BadInput for an unknown scheduler.
    """
    scheduler = _scheduler(runtime, request)
    wanted = [
        queue
        for queue in queues
        if (not request.jobs or queue.job in request.jobs) and (not request.owners or queue.owner in request.owners)
    ]
    offered: list[Queue] = []
    for kind in runtime.part(UnitKinds):
        by_job = {queue.job: queue for queue in wanted if queue.kind == kind.queues}
        candidates = [Candidate.of(queue) for queue in by_job.values()]
        offered += [by_job[each.job] for each in scheduler(candidates, Request(request.owners, runtime.random))]
    return offered


async def _why(runtime: Runtime, open_queues: Sequence[Queue], offered: Sequence[Queue]) -> WhyNoWork:
    still_open = {queue.id for queue in await runtime.part(OpenQueues).snapshot()}
    if any(queue.id in still_open for queue in offered):
        return WhyNoWork.WAITING_FOR_OTHER_HOSTS
    if open_queues and not offered:
        return WhyNoWork.NO_SUPPORTED_WORK
    return WhyNoWork.NO_OPEN_WORK
