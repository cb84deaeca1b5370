"""Deleting variables, with their tasks and results."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.deleting.steps import remove_at
from resolvers.deleting.units import few, remove_contents
from resolvers.errors import BadInput, NotFound
from resolvers.identifiers import VARIABLE_KEY
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from storage import Variable

MOST_AT_ONCE = 1_000


async def delete(runtime: Runtime, job_key: str, keys: Sequence[str]) -> tuple[list[str], list[NotFound]]:
    """Delete variables of a job; the keys of those that were there, and what is wrong with the others.

    Flow jobs that have begun have a copy of their variable and go on; those that have not fail.
    Raises NotFound for the job, and BadInput for too many.
    """
    if not 1 <= len(keys) <= MOST_AT_ONCE:
        raise BadInput(f"variables takes 1 to {MOST_AT_ONCE:,} at once, got {len(keys)}", field="variables")
    job = await jobs.get(runtime, job_key)
    ids = {key: Variable.id_of(job.key, key) for key in keys if VARIABLE_KEY.fullmatch(key)}
    known = await runtime.store.variables.known(ids.values())
    there = [key for key in ids if ids[key] in known]
    if there:
        await runtime.store.variables.delete([ids[key] for key in there], remove_at=remove_at(runtime))
    return there, [_missing(job_key, key, at) for at, key in enumerate(keys) if key not in there]


def _missing(job_key: str, key: str, at: int) -> NotFound:
    return NotFound(f"the job {job_key!r} has no variable {key[:150]!r}", field=f"variables[{at}]")


async def remove(runtime: Runtime, limit: int) -> int:
    """One step of removing what was deleted; how many documents it was."""
    units = few(await runtime.store.variables.removable_with_tasks(runtime.now(), limit), limit)
    removed = await remove_contents(runtime, units, limit)
    for unit in units:  # Tasks that were given back are held by nobody, and leave their assignments.
        while found := await runtime.store.assignments.remove_some("unit", unit, limit):
            removed += found
    return removed + await runtime.store.variables.remove(list(units))
