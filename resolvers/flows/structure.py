"""What a submitted flow says, checked and laid out flat."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resolvers import functions
from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.visibility import Visibility, may_read_owned, visibility_of
from resolvers.errors import BadInput, Conflict, Forbidden, NotFound, PoolError
from resolvers.faults import Faults
from resolvers.flows import archived
from resolvers.identifiers import checked_text, job_key, variable_key
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.turns import each_in_turn, give_way
from resolvers.units.policies import Policy
from storage import Job, JobState, Variable

MOST_JOBS = 100_000
MOST_LEVELS = 20_000
MOST_DEPTH = 200
MOST_NAME_CHARACTERS = 200
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class NewFlowJob:
    """A job at its place: `job` and `variable` are keys or URLs, the conditions JavaScript sources."""

    job: str
    variable: str = ""
    condition: str = ""
    repeat: str = ""
    alias: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewLevel:
    jobs: Sequence[NewFlowJob]
    dependent: Sequence[NewLevel] = ()


@dataclass(frozen=True, slots=True)
class PlannedLevel:
    """A level at its place in the flat list: `parent` is a place too, -1 for the root."""

    level: NewLevel
    path: str
    parent: int
    position: int
    depth: int


@dataclass(slots=True)
class PlannedJob:
    """A checked job: keys instead of references, and the name its result is merged under."""

    given: NewFlowJob
    path: str
    level: int
    position: int
    job: str = ""
    variable: str = ""
    alias: str = ""
    policy: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    levels: Sequence[PlannedLevel]
    jobs: Sequence[PlannedJob]
    private: str = ""
    """The key of a private job in it, or empty."""


async def plan(runtime: Runtime, root: NewLevel, addresses: Collection[str], principal: Principal = EVERYBODY) -> Plan:
    """The levels and jobs of a flow in the order of the text, all checked. `addresses` are the pool's own; the
    principal must be allowed to read the jobs.

    Raises BadInput, NotFound, Conflict, Forbidden, UnparsableJavaScript or TooLarge, with the `others` that were
    found too; `field` is the path in the tree (`dependent[0].jobs[2].if`).
    """
    faults = Faults(PoolError)
    levels = await each_in_turn(lambda each: each, walk(root))
    for each in levels:
        await give_way()
        with faults.gathered():
            _check_not_empty(each)
    planned = await each_in_turn(lambda job: job, _placed(levels))
    if len(planned) > MOST_JOBS:
        raise BadInput(f"a flow takes at most {MOST_JOBS:,} jobs, got {len(planned):,}", field="jobs")
    known, private = await _find_jobs(runtime, planned, addresses, principal, faults)
    await _find_variables(runtime, known, addresses, faults)
    await _compile(runtime, planned, principal.account, faults)
    await _name(planned, faults)
    faults.raise_all()
    return Plan(levels, planned, private)


def _placed(levels: Sequence[PlannedLevel]) -> Iterator[PlannedJob]:
    for at, each in enumerate(levels):
        for position, given in enumerate(each.level.jobs):
            yield PlannedJob(given, f"{each.path}jobs[{position}]", at, position)


def _check_not_empty(each: PlannedLevel) -> None:
    if not each.level.jobs:
        raise BadInput(
            "a level takes at least one job: what the levels below it make is passed on by its jobs",
            field=f"{each.path}jobs",
        )


def walk(root: NewLevel) -> Iterator[PlannedLevel]:
    """The levels in the order of the text: every parent before its children. Raises BadInput for too many."""
    waiting = [PlannedLevel(root, "", -1, 0, 0)]
    number = 0
    while waiting:
        each = waiting.pop()
        if each.depth > MOST_DEPTH:
            raise BadInput(f"a flow may have at most {MOST_DEPTH} levels below its root", field=each.path.rstrip("."))
        if number >= MOST_LEVELS:
            raise BadInput(f"a flow may have at most {MOST_LEVELS:,} levels", field=f"{each.path}dependent")
        yield each
        children = [
            PlannedLevel(child, f"{each.path}dependent[{position}].", number, position, each.depth + 1)
            for position, child in enumerate(each.level.dependent)
        ]
        waiting.extend(reversed(children))
        number += 1


async def _find_jobs(
    runtime: Runtime,
    planned: Sequence[PlannedJob],
    addresses: Collection[str],
    principal: Principal,
    faults: Faults[PoolError],
) -> tuple[list[PlannedJob], str]:
    """Those whose jobs there are, and the key of a private job among these, or empty."""
    found: dict[str, Job] = {}
    known: list[PlannedJob] = []
    for each in planned:
        await give_way()
        with faults.gathered():
            each.job = job_key(each.given.job, addresses, field=f"{each.path}.job")
            if each.job not in found:
                found[each.job] = await _job(runtime, each, principal)
            known.append(each)
            policy = Policy.of(found[each.job].policy).overridden(each.given.policy, field=f"{each.path}.policy")
            each.policy = policy.dump()
    private = (key for key, job in found.items() if visibility_of(job) is Visibility.PRIVATE)
    return known, next(private, "")


async def _job(runtime: Runtime, each: PlannedJob, principal: Principal) -> Job:
    try:
        job = await jobs.get(runtime, each.job)
    except NotFound as problem:
        raise NotFound(problem.message, field=f"{each.path}.job") from None
    if not may_read_owned(principal, job):
        message = f"the job {job.key!r} is private: only its owner makes flows of it, which read its variables"
        raise Forbidden(message, field=f"{each.path}.job")
    if job.state == JobState.ARCHIVED:
        raise Conflict(archived.reason(job), field=f"{each.path}.job")
    return job


async def _find_variables(
    runtime: Runtime, planned: Sequence[PlannedJob], addresses: Collection[str], faults: Faults[PoolError]
) -> None:
    named: list[PlannedJob] = []
    for each in planned:
        await give_way()
        if each.given.variable:
            with faults.gathered():
                field = f"{each.path}.variable"
                each.variable = variable_key(each.given.variable, each.job, addresses, field=field)
                named.append(each)
    for start in range(0, len(named), CHUNK):
        chunk = named[start : start + CHUNK]
        found = await runtime.store.variables.known(Variable.id_of(each.job, each.variable) for each in chunk)
        for each in chunk:
            with faults.gathered():
                if Variable.id_of(each.job, each.variable) not in found:
                    message = f"the job {each.job!r} has no variable {each.variable!r}"
                    raise NotFound(message, field=f"{each.path}.variable")


async def _compile(runtime: Runtime, planned: Sequence[PlannedJob], account: str, faults: Faults[PoolError]) -> None:
    compiled: set[str] = set()
    for each in planned:
        await give_way()
        for name, source in (("if", each.given.condition), ("while", each.given.repeat)):
            if source and source not in compiled:
                with faults.gathered():
                    field = f"{each.path}.{name}"
                    await functions.compiled(runtime, source, name, field=field, account=account)
                    compiled.add(source)


async def _name(planned: Sequence[PlannedJob], faults: Faults[PoolError]) -> None:
    """Give every job the name its result is merged under: its `as`, or its job's key; `key-2`, ... for repeats."""
    taken: set[tuple[int, str]] = set()
    for each in planned:
        await give_way()
        if each.given.alias:
            with faults.gathered():
                each.alias = checked_text(each.given.alias, field=f"{each.path}.as", most=MOST_NAME_CHARACTERS)
                if (each.level, each.alias) in taken:
                    raise BadInput(f"two jobs of this level are called {each.alias!r}", field=f"{each.path}.as")
                taken.add((each.level, each.alias))
    repeats: dict[tuple[int, str], int] = {}
    for each in planned:
        await give_way()
        if not each.alias:
            name = each.job
            while (each.level, name) in taken:
                repeats[each.level, each.job] = repeats.get((each.level, each.job), 1) + 1
                name = f"{each.job}-{repeats[each.level, each.job]}"
            each.alias = name
            taken.add((each.level, name))
