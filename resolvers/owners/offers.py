"""Variables that are handed out, or listed, since they want results. None of a job that is not approved is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from resolvers.access.review import is_approved
from resolvers.errors import BadInput
from resolvers.owners import variable_schedulers
from resolvers.runtime import Runtime
from storage import Job, UnitState, Variable

MOST_OFFERED = 20


async def wanted(
    runtime: Runtime, job_key: str, *, first: int, after: str = "", backwards: bool = False
) -> Sequence[tuple[str, Variable]]:
    """Variables that still want results, each with its cursor, in a random order that a cursor continues; none of a job
    that is not approved."""
    if (job := await runtime.store.jobs.by_key(job_key)) and not is_approved(job):
        return []
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
    """What a client gets that knows of no tasks: a variable that a flow waits for and that needs no context,
    or else what `pick` picks."""
    if not is_approved(job):
        return None
    runs = await runtime.store.runs.bare(job.key, limit=MOST_OFFERED)
    if runs and (found := await runtime.store.variables.by_key(job.key, runtime.random.choice(runs).variable)):
        return found
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
