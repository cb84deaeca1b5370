"""Storing a submitted flow, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import TypeVar

import orjson

from resolvers.errors import IdempotencyMismatch
from resolvers.flows import control, engine
from resolvers.flows.ending import CUT_SHORT
from resolvers.flows.kind import RunKind
from resolvers.flows.structure import CHUNK, NewLevel, Plan, plan, walk
from resolvers.identifiers import checked_idempotency_key, checked_text
from resolvers.runtime import Runtime, new_seq
from resolvers.units.policies import Policy
from storage.flow_jobs import FlowJob
from storage.flows import Flow, FlowState
from storage.levels import Level

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

    def key(self) -> str:
        """A new one, or the one that the owner's idempotency key stands for."""
        if not self.idempotency_key:
            return new_seq()
        return hashlib.sha256(f"{self.owner}\0{self.idempotency_key}".encode()).hexdigest()[:32]

    def digest(self) -> str:
        """SHA-256 over all that was submitted."""
        levels = [[each.parent, [astuple(job) for job in each.level.jobs]] for each in walk(self.root)]
        told = orjson.dumps([self.name, self.on_failure, levels], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(told).hexdigest()


async def submit(runtime: Runtime, new: NewFlow, addresses: Collection[str] = ()) -> Flow:
    """Check and store a flow, and start it. `addresses` are those of this pool, without scheme, that absolute URLs may
    have.

    The same flow with the same idempotency key answers the one that is there.
    Raises what `plan` raises, and IdempotencyMismatch for another flow under a known key.
    """
    checked_text(new.name, field="name", most=MOST_NAME_CHARACTERS)
    checked_text(new.owner, field="owner", most=MOST_NAME_CHARACTERS)
    checked_idempotency_key(new.idempotency_key)
    key, digest = new.key(), new.digest()
    if new.idempotency_key:
        stored = await _stored(runtime, new, key, digest)
        if stored is not None and not _is_cut_short(stored):
            return stored
    planned = await plan(runtime, new.root, addresses)
    flow = _flow(runtime, new, planned, key, digest)
    if not await runtime.store.flows.insert(flow):
        flow = await _stored(runtime, new, key, digest) or flow
        if not _is_cut_short(flow):
            return flow
        # What the first try stored has the same ids as what is stored now.
    for levels in _chunks([_level(flow, planned, at) for at in range(len(planned.levels))]):
        await runtime.store.levels.insert_many(levels)
    for jobs in _chunks([_job(flow, planned, at) for at in range(len(planned.jobs))]):
        await runtime.store.flow_jobs.insert_many(jobs)
    return await (engine.launch(runtime, flow) if flow.state == FlowState.NEW else control.retry(runtime, flow.key))


def _is_cut_short(flow: Flow) -> bool:
    """Whether its submission ended half-way; by now it may have been cancelled for that."""
    return flow.state == FlowState.NEW or (flow.state == FlowState.CANCELLED and flow.reason == CUT_SHORT)


def _generation(flow: Flow) -> int:
    """That of levels and jobs stored now: a flow that was cancelled goes on in the next one."""
    return flow.generation + (flow.state == FlowState.CANCELLED)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


async def _stored(runtime: Runtime, new: NewFlow, key: str, digest: str) -> Flow | None:
    """The flow of an earlier try. Raises IdempotencyMismatch where that was another one."""
    stored = await runtime.store.flows.get(Flow.id_of(key))
    if stored is not None and stored.digest != digest:
        raise IdempotencyMismatch(
            f"the idempotency key {new.idempotency_key!r} came before with another flow", field="idempotencyKey"
        )
    return stored


def _flow(runtime: Runtime, new: NewFlow, planned: Plan, key: str, digest: str) -> Flow:
    now = runtime.now()
    return Flow(
        id=Flow.id_of(key),
        key=key,
        seq=new_seq(),
        name=new.name,
        owner=new.owner,
        on_failure=new.on_failure,
        jobs=len(planned.jobs),
        levels=len(planned.levels),
        queues=sorted({RunKind().queue_of(each.job) for each in planned.jobs}),
        digest=digest,
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
