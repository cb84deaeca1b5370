"""Storing a submitted flow, whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.review import review_of_new
from resolvers.access.rules import owner_of_new
from resolvers.access.visibility import Visibility, default_visibility
from resolvers.errors import BadInput, InProgress
from resolvers.flows import control, engine, reading
from resolvers.flows.ending import CUT_SHORT
from resolvers.flows.kind import RunKind
from resolvers.flows.structure import CHUNK, NewFlowJob, NewLevel, Plan, plan, walk
from resolvers.idempotency import Repeatable, once
from resolvers.identifiers import checked_text, job_key, variable_key
from resolvers.owners.quotas import FLOW_JOB_BYTES, Quotas, Usage
from resolvers.runtime import Runtime, new_seq
from resolvers.space import Space
from resolvers.units.policies import Policy
from storage import Flow, FlowJob, FlowState, Level, Review

SUBMISSION_MS = 600_000
MOST_NAME_CHARACTERS = 200
PER_JOB = 100
"""What each costs, in bytes of JSON (`turns.aside`)."""

T = TypeVar("T")


class OnFailure(StrEnum):
    """What the failure of one job means for its flow."""

    FAIL = "FAIL"
    CONTINUE = "CONTINUE"


@dataclass(frozen=True, slots=True)
class NewFlow:
    root: NewLevel
    name: str = ""
    owner: str = ""
    account: str = ""
    visibility: Visibility | None = None
    """None: that of the pool's new flows, and PRIVATE where any of its jobs is."""
    on_failure: OnFailure = OnFailure.FAIL
    idempotency_key: str = ""

    def request(self, addresses: Collection[str]) -> Repeatable:
        def meaning() -> list[Any]:
            levels = [[each.parent, [_meaning(job, addresses) for job in each.level.jobs]] for each in walk(self.root)]
            return [self.name, self.on_failure, levels, *([self.visibility] if self.visibility else [])]

        weight = PER_JOB * sum(len(each.level.jobs) for each in walk(self.root)) if self.idempotency_key else 0
        return Repeatable(f"flow {self.owner}", self.idempotency_key, meaning, weight)


def _meaning(given: NewFlowJob, addresses: Collection[str]) -> list[Any]:
    job, variable = given.job, given.variable
    with suppress(BadInput):  # `plan` reports it with its place.
        job = job_key(given.job, addresses, field="job")
        variable = variable_key(given.variable, job, addresses, field="variable") if given.variable else ""
    return [job, variable, given.condition, given.repeat, given.alias or job, dict(given.policy)]


async def submit(
    runtime: Runtime, new: NewFlow, addresses: Collection[str] = (), principal: Principal = EVERYBODY
) -> Flow:
    """Check and store a flow of the principal's, and start it. `addresses` are those of this pool, without scheme, that
    absolute URLs may have.

    Raises Forbidden for an owner who is somebody else, BadInput for a PUBLIC flow of a PRIVATE job, QuotaExceeded,
    Unavailable, and what `plan` and `once` raise.
    """
    runtime.part(Space).check_for_work()
    checked_text(new.name, field="name", most=MOST_NAME_CHARACTERS)
    checked_text(new.owner, field="owner", most=MOST_NAME_CHARACTERS)
    owner, account = owner_of_new(principal, new.owner, field="owner")
    new = replace(new, owner=owner, account=account)
    request = new.request(addresses)

    async def carry_out() -> str:
        planned = await plan(runtime, new.root, addresses, principal)
        _check_visibility(new, planned)
        jobs = len(planned.jobs)
        await runtime.part(Quotas).take(account, Usage(FLOW_JOB_BYTES * jobs, jobs, flows=1))
        review = await review_of_new(runtime, principal, account)
        return await _store(runtime, _flow(runtime, new, planned, request.mark or new_seq(), review), planned)

    return await reading.get(runtime, await once(runtime, request, carry_out, about=Flow.id_of(request.mark)))


def _check_visibility(new: NewFlow, planned: Plan) -> None:
    if new.visibility is Visibility.PUBLIC and planned.private:
        raise BadInput(
            f"a flow of the job {planned.private!r}, which is PRIVATE, shows its variables and results, and can't be "
            "PUBLIC",
            field="visibility",
        )


async def _store(runtime: Runtime, flow: Flow, planned: Plan) -> str:
    """Store the flow and have it go on, unless a repeated request finds that done; its key."""
    if not await runtime.store.flows.insert(flow):
        stored = await runtime.store.flows.get(flow.id)
        if stored is None:
            raise InProgress.removing("this flow", field="idempotencyKey")
        flow = stored
        if not _is_cut_short(flow):
            return flow.key
        # What the first try stored has the same ids as what is stored now.
    for places in _chunks(range(len(planned.levels))):
        await runtime.store.levels.insert_many([_level(flow, planned, at) for at in places])
    for places in _chunks(range(len(planned.jobs))):
        await runtime.store.flow_jobs.insert_many([_job(flow, planned, at) for at in places])
    await (engine.launch(runtime, flow) if flow.state == FlowState.NEW else control.retry(runtime, flow.key))
    return flow.key


def _is_cut_short(flow: Flow) -> bool:
    """Whether its submission ended half-way; by now it may have been cancelled for that."""
    return flow.state == FlowState.NEW or (flow.state == FlowState.CANCELLED and flow.reason == CUT_SHORT)


def _generation(flow: Flow) -> int:
    """That of levels and jobs stored now: a flow that was cancelled goes on in the next one."""
    return flow.generation + (flow.state == FlowState.CANCELLED)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _flow(runtime: Runtime, new: NewFlow, planned: Plan, key: str, review: Review) -> Flow:
    now = runtime.now()
    return Flow(
        id=Flow.id_of(key),
        key=key,
        seq=new_seq(),
        name=new.name,
        owner=new.owner,
        account=new.account,
        is_unreviewed=review is Review.PENDING,
        visibility=Visibility.PRIVATE if planned.private else new.visibility or default_visibility(runtime),
        on_failure=new.on_failure,
        jobs=len(planned.jobs),
        levels=len(planned.levels),
        queues=sorted({RunKind().queue_of(each.job) for each in planned.jobs}),
        due=now + SUBMISSION_MS,
        created_at=now,
    )


def _level(flow: Flow, planned: Plan, at: int) -> Level:
    each = planned.levels[at]
    return Level(
        id=Level.id_of(flow.key, at),
        flow=flow.id,
        seq=f"{at:08d}",
        number=at,
        parent=Level.id_of(flow.key, each.parent) if each.parent >= 0 else "",
        position=each.position,
        depth=each.depth,
        dependents=len(each.level.dependent),
        jobs=len(each.level.jobs),
        generation=_generation(flow),
    )


def _job(flow: Flow, planned: Plan, at: int) -> FlowJob:
    each = planned.jobs[at]
    return FlowJob(
        id=FlowJob.id_of(flow.key, at),
        flow=flow.id,
        level=Level.id_of(flow.key, each.level),
        seq=f"{at:08d}",
        number=at,
        position=each.position,
        job=each.job,
        variable=each.variable,
        condition=each.given.condition,
        repeat=each.given.repeat,
        alias=each.alias,
        policy=each.policy,
        replicas=Policy.of(each.policy).first_replicas,
        generation=_generation(flow),
    )
