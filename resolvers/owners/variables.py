"""Variables: the standing inputs of a job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resolvers import json_text
from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.review import is_approved
from resolvers.access.visibility import may_read
from resolvers.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    InProgress,
    NotFound,
    PoolError,
    QuotaExceeded,
    Rejected,
    TooLarge,
    Unavailable,
)
from resolvers.faults import Faults
from resolvers.idempotency import Repeatable, once
from resolvers.identifiers import JOB_KEY, VARIABLE_KEY, checked_cursor
from resolvers.owners import jobs, tickets
from resolvers.owners.quotas import Quotas, Usage
from resolvers.owners.validators import Judgement, Reported, judge
from resolvers.runtime import Runtime, new_seq
from resolvers.space import Space
from resolvers.turns import aside, give_way
from resolvers.units import replicas
from sandbox import FailureKind
from storage import Job, JobState, UnitState, Variable

MOST_AT_ONCE = 10_000
PER_VARIABLE = 100
"""What each costs beside its value, in bytes of JSON (`aside`)."""


@dataclass(frozen=True, slots=True)
class NewVariable:
    """`key` empty: the pool makes one."""

    value: Any
    key: str = ""


async def create_many(
    runtime: Runtime,
    job_key: str,
    new: Sequence[NewVariable],
    *,
    principal: Principal = EVERYBODY,
    idempotency_key: str = "",
) -> list[Variable]:
    """Add variables to a job, all or none, and the tasks that compute them.

    Raises BadInput, TooLarge, NotFound, Unauthenticated and Forbidden (the job takes its owner's only), Conflict
    (archived job), Rejected (by the job's `validate_result`), AlreadyExists (a key is taken), InProgress (by a
    variable that was just deleted), QuotaExceeded, Unavailable, and what `once` raises.
    """
    if not 1 <= len(new) <= MOST_AT_ONCE:
        raise BadInput(f"variables takes 1 to {MOST_AT_ONCE:,} at once, got {len(new)}", field="variables")
    runtime.part(Space).check_for_work()
    jobs.check_takes_variables(await jobs.get(runtime, job_key), principal)
    weight = json_text.weight(*(each.value for each in new)) + PER_VARIABLE * len(new)
    checked = await aside(_checked, new, weight=weight)

    def meaning() -> list[list[Any]]:
        return [[each.key, json_text.parse(value)] for each, value in zip(new, checked, strict=True)]

    request = Repeatable(f"variables {job_key}", idempotency_key, meaning, weight)
    made: list[Variable] = []

    async def carry_out() -> str:
        job = await _open_job(runtime, job_key)
        await runtime.part(Quotas).take(job.account, Usage(json_text.size_of(*checked), len(checked)))
        made.extend(await _create(runtime, job, new, checked, request.mark))
        return job_key

    await once(runtime, request, carry_out, about=Job.id_of(job_key))
    return made or await _stored(runtime, job_key, new, request.mark)


async def _open_job(runtime: Runtime, job_key: str) -> Job:
    job = await jobs.get(runtime, job_key)
    if job.state == JobState.ARCHIVED:
        raise Conflict(f"the job {job.key!r} is archived and takes no more variables", field="job")
    return job


async def _create(
    runtime: Runtime, job: Job, new: Sequence[NewVariable], values: Sequence[str], mark: str
) -> list[Variable]:
    made = list[Variable]()
    for at, (each, value) in enumerate(zip(new, values, strict=True)):
        await give_way()
        made.append(_variable(runtime, job, _key(each, mark, at), value, mark))
    if is_approved(job):  # Until then nothing of it is called.
        await _validate(runtime, job, made)
    if job.validate_result:  # It may have taken long, and the job may be gone by now.
        await _open_job(runtime, job.key)
    if taken := await runtime.store.variables.insert_many(made):
        await _complete(runtime, job, made, taken)
        return await _stored(runtime, job.key, new, mark)
    await replicas.open_units(runtime, job, made)
    return made


async def _stored(runtime: Runtime, job_key: str, new: Sequence[NewVariable], mark: str) -> list[Variable]:
    """What a request made that comes again."""
    ids = [Variable.id_of(job_key, _key(each, mark, at)) for at, each in enumerate(new)]
    stored = await runtime.store.variables.get_many(ids)
    return [stored[each] for each in ids if each in stored]


def _checked(new: Sequence[NewVariable]) -> list[str]:
    """The values as JSON texts. Raises BadInput and TooLarge, with all that is wrong."""
    faults, values, seen = Faults(PoolError), list[str](), set[str]()
    for at, each in enumerate(new):
        with faults.gathered():
            values.append(json_text.checked(each.value, field=f"variables[{at}].value"))
        with faults.gathered():
            _check_key(each.key, seen, field=f"variables[{at}].id")
    faults.raise_all()
    return values


def _check_key(key: str, seen: set[str], *, field: str) -> None:
    if not key:
        return
    if not VARIABLE_KEY.fullmatch(key) or key.endswith(".js") or key in {".", ".."}:
        raise BadInput(
            "a variable's id takes 1 to 128 letters, digits, '.', '_', '~' or '-' and does not end in '.js', "
            f"got {key[:150]!r}",
            field=field,
        )
    if key in seen:
        raise BadInput(f"the id {key!r} comes twice", field=field)
    seen.add(key)


def _key(new: NewVariable, mark: str, at: int) -> str:
    """The given key, or a key that the pool makes: for a request that may be repeated, each time the same."""
    return new.key or (hashlib.sha256(f"{mark}\0{at}".encode()).hexdigest()[:32] if mark else new_seq())


def _variable(runtime: Runtime, job: Job, key: str, value: str, mark: str) -> Variable:
    now = runtime.now()
    return Variable(
        id=Variable.id_of(job.key, key),
        key=key,
        job=job.key,
        value=value,
        seq=new_seq(),
        rand=runtime.random.random(),
        due=now + runtime.takeover_ms,
        created_at=now,
        request=mark,
        size=json_text.size_of(value),
    )


async def _validate(runtime: Runtime, job: Job, made: Sequence[Variable]) -> None:
    judgements = await judge(runtime, job, [Reported(each.value, None) for each in made])
    faults = Faults(PoolError)
    for at, judgement in enumerate(judgements):
        if not judgement.accepted:
            with faults.gathered():
                raise _refusal(judgement, f"variables[{at}].value")
    faults.raise_all()


def _refusal(judgement: Judgement, field: str) -> Rejected | TooLarge | QuotaExceeded | Unavailable:
    if judgement.unasked and judgement.unasked.kind is FailureKind.USED_UP:
        return TooLarge(f"validate_result was {judgement.reason}; send fewer variables at once", field=field)
    if judgement.unasked and judgement.unasked.kind is FailureKind.OVER_QUOTA:
        message = f"validate_result was {judgement.reason}, and send fewer variables at once"
        return QuotaExceeded(message, field=field, retry_after_s=judgement.retry_after_s)
    if judgement.accepted is None:
        return Unavailable(f"validate_result can't be asked now: {judgement.reason}", field=field)
    return Rejected(
        f"the job's validate_result turned this variable down: {judgement.reason}. It is called with `result` "
        'undefined and `context.phase === "variable"` for a posted variable',
        field=field,
    )


async def _complete(runtime: Runtime, job: Job, made: Sequence[Variable], taken: set[str]) -> None:
    """Some ids were there already: the same request was cut short before, or a clash of which nothing may stay."""
    stored = await runtime.store.variables.get_many(taken)
    leaving = [(at, each) for at, each in enumerate(made) if each.id in taken and each.id not in stored]
    # An insert whose answer was lost is repeated, and finds its own documents there; so does a repeated request.
    clashing = [
        (at, each)
        for at, each in enumerate(made)
        if each.id in stored and stored[each.id].seq != each.seq and (stored[each.id].request or None) != each.request
    ]
    fresh = [each for each in made if each.id not in taken or (each.id in stored and stored[each.id].seq == each.seq)]
    if not clashing and not leaving:
        await replicas.open_units(runtime, job, fresh)
        return
    await runtime.store.variables.withdraw([each.id for each in fresh])
    if leaving:
        at, clash = leaving[0]
        raise InProgress.removing(f"the variable {clash.key!r}", field=f"variables[{at}].id")
    at, clash = clashing[0]
    raise AlreadyExists(
        f"the job {clash.job!r} has a variable {clash.key!r} already; nothing was stored",
        field=f"variables[{at}].id",
    )


async def get(runtime: Runtime, job_key: str, key: str, principal: Principal = EVERYBODY) -> Variable:
    """A variable that the principal may read, or that was handed out under this key. Raises NotFound."""
    handed_out = tickets.key_in(runtime, job_key, key)
    named = JOB_KEY.fullmatch(job_key) and VARIABLE_KEY.fullmatch(handed_out or key)
    variable = await runtime.store.variables.by_key(job_key, handed_out or key) if named else None
    is_there = variable is not None and await runtime.store.jobs.by_key(job_key) is not None
    if not (variable and is_there and (handed_out or await may_read(runtime, principal, variable))):
        raise NotFound(f"the job {job_key[:100]!r} has no variable {key[:150]!r}", field="variable")
    return variable


async def page(
    runtime: Runtime, job_key: str, *, first: int, after: str = "", state: UnitState | None = None
) -> Sequence[Variable]:
    matching = {"job": job_key} if state is None else {"job": job_key, "state": str(state)}
    return await runtime.store.variables.page(matching, first=first, after=checked_cursor(after))


async def counts(runtime: Runtime, job_key: str) -> dict[str, int]:
    """How many variables of a job there are, by state."""
    return await runtime.store.variables.count_by("state", {"job": job_key})
