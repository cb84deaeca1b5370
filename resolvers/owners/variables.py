"""Variables: the standing inputs of a job."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from resolvers import json_text
from resolvers.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    IdempotencyMismatch,
    NotFound,
    PoolError,
    Rejected,
    Unavailable,
)
from resolvers.faults import Faults
from resolvers.identifiers import JOB_KEY, VARIABLE_KEY, checked_cursor, checked_idempotency_key
from resolvers.owners import jobs, variable_schedulers
from resolvers.owners.validators import Judgement, Reported, judge
from resolvers.runtime import Runtime, new_seq
from resolvers.units import replicas
from storage.jobs import Job, JobState
from storage.units import UnitState
from storage.variables import Variable

MOST_AT_ONCE = 10_000
MOST_OFFERED = 20


@dataclass(frozen=True, slots=True)
class NewVariable:
    """`key` empty: the pool makes one."""

    value: Any
    key: str = ""


async def create_many(
    runtime: Runtime, job_key: str, new: Sequence[NewVariable], *, idempotency_key: str = ""
) -> list[Variable]:
    """Add variables to a job, all or none, and the tasks that compute them.

    The same values with the same `idempotency_key` answer the variables stored the first time.
    Raises BadInput, TooLarge, NotFound, Conflict (archived job), Rejected (by the job's `validate_result`),
    AlreadyExists (a key is taken) and IdempotencyMismatch.
    """
    if not 1 <= len(new) <= MOST_AT_ONCE:
        raise BadInput(f"variables takes 1 to {MOST_AT_ONCE:,} at once, got {len(new)}", field="variables")
    checked_idempotency_key(idempotency_key)
    job = await jobs.get(runtime, job_key)
    if job.state == JobState.ARCHIVED:
        raise Conflict(f"the job {job.key!r} is archived and takes no more variables", field="job")
    made = _made(runtime, job, new, idempotency_key)
    _refuse_repeats(made)
    if idempotency_key:
        request = _request(idempotency_key, made)
        for variable in made:
            variable.request = request
    await _validate(runtime, job, made)
    if taken := await runtime.store.variables.insert_many(made):
        return await _repeated(runtime, job, made, taken, idempotency_key)
    await replicas.open_units(runtime, job, made)
    return made


def _made(runtime: Runtime, job: Job, new: Sequence[NewVariable], idempotency_key: str) -> list[Variable]:
    faults, made = Faults(PoolError), list[Variable]()
    for at, each in enumerate(new):
        with faults.gathered():
            made.append(_variable(runtime, job, each, at, idempotency_key))
    faults.tell()
    return made


def _variable(runtime: Runtime, job: Job, new: NewVariable, at: int, idempotency_key: str) -> Variable:
    value = json_text.checked(new.value, field=f"variables[{at}].value")
    key = new.key or _made_key(idempotency_key, at)
    if not VARIABLE_KEY.fullmatch(key) or key.endswith(".js") or key in {".", ".."}:
        raise BadInput(
            "a variable's id takes 1 to 128 letters, digits, '.', '_', '~' or '-' and does not end in '.js', "
            f"got {key[:150]!r}",
            field=f"variables[{at}].id",
        )
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
    )


def _made_key(idempotency_key: str, at: int) -> str:
    if idempotency_key:
        return hashlib.sha256(f"{idempotency_key}\0{at}".encode()).hexdigest()[:32]
    return new_seq()


def _request(idempotency_key: str, made: Sequence[Variable]) -> str:
    """A digest of all that a request to add variables says."""
    said = orjson.dumps([idempotency_key, [[each.key, each.value] for each in made]])
    return hashlib.sha256(said).hexdigest()


def _refuse_repeats(made: Sequence[Variable]) -> None:
    seen: set[str] = set()
    for at, variable in enumerate(made):
        if variable.key in seen:
            raise BadInput(f"the id {variable.key!r} comes twice", field=f"variables[{at}].id")
        seen.add(variable.key)


async def _validate(runtime: Runtime, job: Job, made: Sequence[Variable]) -> None:
    judgements = await judge(runtime, job, [Reported(each.value, None) for each in made])
    faults = Faults(PoolError)
    for at, judgement in enumerate(judgements):
        if not judgement.accepted:
            with faults.gathered():
                raise _refusal(judgement, f"variables[{at}].value")
    faults.tell()


def _refusal(judgement: Judgement, field: str) -> Rejected | Unavailable:
    if judgement.accepted is None:
        return Unavailable(f"validate_result can't be asked now: {judgement.reason}", field=field)
    return Rejected(
        f"the job's validate_result turned this variable down: {judgement.reason}. It is called with `result` "
        'undefined and `context.phase === "variable"` for a posted variable',
        field=field,
    )


async def _repeated(
    runtime: Runtime, job: Job, made: Sequence[Variable], taken: set[str], idempotency_key: str
) -> list[Variable]:
    """Some ids were there already: the same request again, or a clash of which nothing may stay."""
    stored = await runtime.store.variables.get_many(each.id for each in made)
    # An insert whose answer was lost is repeated, and finds its own documents there.
    taken = {each.id for each in made if each.id in taken and getattr(stored.get(each.id), "seq", "") != each.seq}
    fresh = [each for each in made if each.id not in taken]
    if not taken:
        await replicas.open_units(runtime, job, made)
        return list(made)
    if idempotency_key and all(each.id in stored and stored[each.id].request == each.request for each in made):
        # A first try that a crash cut short may have stored only some of them.
        await replicas.open_units(runtime, job, fresh)
        return [stored[each.id] for each in made]
    await runtime.store.variables.withdraw([each.id for each in fresh])
    at, clash = next((at, each) for at, each in enumerate(made) if each.id in taken)
    if idempotency_key and clash.key == _made_key(idempotency_key, at):
        raise IdempotencyMismatch(
            f"the idempotency key {idempotency_key!r} came before with other variables",
            field="idempotencyKey",
        )
    raise AlreadyExists(
        f"the job {clash.job!r} has a variable {clash.key!r} already; nothing was stored",
        field=f"variables[{at}].id",
    )


async def get(runtime: Runtime, job_key: str, key: str) -> Variable:
    named = JOB_KEY.fullmatch(job_key) and VARIABLE_KEY.fullmatch(key)
    variable = await runtime.store.variables.by_key(job_key, key) if named else None
    if variable is None:
        raise NotFound(f"the job {job_key[:100]!r} has no variable {key[:150]!r}", field="variable")
    return variable


async def page(
    runtime: Runtime, job_key: str, *, first: int, after: str = "", state: UnitState | None = None
) -> Sequence[Variable]:
    matching = {"job": job_key} if state is None else {"job": job_key, "state": str(state)}
    return await runtime.store.variables.page(matching, first=first, after=checked_cursor(after))


async def wanted(
    runtime: Runtime, job_key: str, *, first: int, after: str = "", backwards: bool = False
) -> Sequence[tuple[str, Variable]]:
    """Variables that still want results, each with its cursor, in a random order that a cursor continues."""
    origin, last = _position(runtime, after)
    found = await runtime.store.variables.wanted(job_key, origin=origin, last=last, limit=first, backwards=backwards)
    return [(f"{origin!r}/{each.rand!r}", each) for each in found]


def _position(runtime: Runtime, cursor: str) -> tuple[float, float | None]:
    if not cursor:
        return runtime.random.random(), None
    try:
        origin, last = (float(part) for part in cursor.split("/"))
    except ValueError:
        origin, last = math.nan, math.nan
    if not (0 <= origin < 1 and 0 <= last < 1):
        raise BadInput(f"{cursor[:100]!r} is no cursor of this list", field="after")
    return origin, last


async def pick(runtime: Runtime, job: Job) -> Variable | None:
    """A variable that wants results, chosen by the job's own scheduler, or at random. Leases nothing."""
    if job.variable_scheduler:
        chosen = await variable_schedulers.choose(runtime, job, host="")
        if chosen is not None:
            return chosen
    found = await runtime.store.variables.wanted(job.key, origin=runtime.random.random(), last=None, limit=1)
    return found[0] if found else None


async def offer(runtime: Runtime, job: Job) -> Variable | None:
    """The variable that a client gets which knows of no tasks: one that a flow waits for and that needs no context,
    or else what `pick` picks."""
    runs = await runtime.store.runs.bare(job.key, limit=MOST_OFFERED)
    if runs:
        return await runtime.store.variables.by_key(job.key, runtime.random.choice(runs).variable)
    return await pick(runtime, job)


async def pick_any(runtime: Runtime, job: Job, count: int) -> list[Variable]:
    """As `pick`, `count` times, but decided ones will do; empty for a job without variables.

    At random they are different ones as far as there are enough that want results.
    """
    if job.variable_scheduler:
        picked = [await pick(runtime, job) for _ in range(count)]
        if all(picked):
            return [each for each in picked if each]
    found: list[Variable] = []
    if not await runtime.store.variables.page({"job": job.key}, first=1):
        return []
    for state in (UnitState.OPEN, UnitState.DONE, UnitState.NEW, UnitState.FAILED):
        origin = runtime.random.random()
        found = await runtime.store.variables.wanted(job.key, origin=origin, last=None, limit=count, state=state)
        if found:
            break
    return [found[at % len(found)] for at in range(count)] if found else []


async def counts(runtime: Runtime, job_key: str) -> dict[str, int]:
    """How many variables of a job there are, by state."""
    return await runtime.store.variables.count_by("state", {"job": job_key})
