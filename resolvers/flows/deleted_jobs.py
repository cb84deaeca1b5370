"""Runs of deleted jobs: they fail, those that a host computes too, and their flows say so."""

from __future__ import annotations

from dataclasses import replace

from resolvers.flows import engine
from resolvers.flows.runs import job_is_deleted
from resolvers.runtime import Runtime
from resolvers.units import tasks
from resolvers.units.kinds import UnitKind
from storage import UnitState


async def end_runs(runtime: Runtime, kind: UnitKind, job_key: str, limit: int) -> int:
    """Fail up to `limit` of the job's runs that have not ended; how many there were. Safe to repeat: a run ends after
    all that follows from its end is stored."""
    unended, reason = await runtime.store.runs.unended(job_key, limit), job_is_deleted(job_key)
    if unended:
        await engine.advance(runtime, [replace(run, state=UnitState.FAILED, reason=reason) for run in unended])
        await kind.cancel(runtime, tasks.ids_of(unended))
    for run in unended:
        await runtime.store.runs.give_up(run.id, UnitState.FAILED, reason, runtime.now())
    return len(unended)
