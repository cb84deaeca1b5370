"""Storing a submitted flow, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from resolvers.errors import IdempotencyMismatch
from resolvers.flows import engine
from resolvers.flows.structure import CHUNK, NewLevel, Plan, plan
from resolvers.identifiers import checked_text
from resolvers.runtime import Runtime, new_seq
from storage.documents import Flow, FlowJob, FlowState, Lane, LaneKind, Level

SUBMISSION_MS = 600_000
MOST_NAME_CHARACTERS = 200

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
    on_failure: OnFailure = OnFailure.FAIL
    idempotency_key: str = ""


async def submit(runtime: Runtime, new: NewFlow) -> Flow:
    """Check and store a flow, and start it.

    The same structure with the same idempotency key answers the flow that is there.
    Raises what `plan` raises, and IdempotencyMismatch for another structure under a known key.
    """
    checked_text(new.name, field="name", most=MOST_NAME_CHARACTERS)
    checked_text(new.owner, field="owner", most=MOST_NAME_CHARACTERS)
    checked_text(new.idempotency_key, field="idempotencyKey", most=MOST_NAME_CHARACTERS)
    planned = await plan(runtime, new.root)
    flow = _flow(runtime, new, planned)
    if not await runtime.store.flows.insert(flow):
        stored = await runtime.store.flows.get(flow.id)
        if stored is None or stored.digest != flow.digest or stored.on_failure != flow.on_failure:
            raise IdempotencyMismatch(
                f"the idempotency key {new.idempotency_key!r} came before with another flow", field="idempotencyKey"
            )
        if stored.state != FlowState.NEW:
            return stored
        # A first try was cut short: what it stored has the same ids as what is stored now.
        flow = stored
    for levels in _chunks([_level(flow, planned, at) for at in range(len(planned.levels))]):
        await runtime.store.levels.insert_many(levels)
    for jobs in _chunks([_job(flow, planned, at) for at in range(len(planned.jobs))]):
        await runtime.store.flow_jobs.insert_many(jobs)
    return await engine.launch(runtime, flow)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _flow(runtime: Runtime, new: NewFlow, planned: Plan) -> Flow:
    now = runtime.now()
    key = new_seq()
    if new.idempotency_key:
        key = hashlib.sha256(f"{new.owner}\0{new.idempotency_key}".encode()).hexdigest()[:32]
    return Flow(
        id=Flow.id_of(key),
        key=key,
        seq=new_seq(),
        name=new.name,
        owner=new.owner,
        on_failure=new.on_failure,
        jobs=len(planned.jobs),
        levels=len(planned.levels),
        lanes=sorted({Lane.id_of(each.job, LaneKind.FLOW) for each in planned.jobs}),
        digest=planned.digest(),
        rev=new_seq(),
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
        rev=flow.rev,
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
        rev=flow.rev,
    )
