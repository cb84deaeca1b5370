"""Runs of flow jobs as a kind of units of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from resolvers.flows import archived, deleted_jobs, engine, recovery
from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKind, UnitKinds
from storage import Result, Run, Task
from storage.units import Units


class RunKind(UnitKind):
    prefix = "run"
    queues = "flow"
    ends_when_archived = True

    def units(self, runtime: Runtime) -> Units[Run]:
        return runtime.store.runs

    async def seen(self, runtime: Runtime, units: Sequence[Run]) -> set[str]:
        flows = await runtime.store.flows.known(run.flow for run in units)
        return {run.id for run in units if run.flow in flows}

    async def job_deleted(self, runtime: Runtime, job_key: str, limit: int) -> int:
        return await deleted_jobs.end_runs(runtime, self, job_key, limit)

    def voted_on(self, result: Result) -> Sequence[str]:
        """The context too: the next run of a `while` gets it."""
        return [result.value, result.context]

    async def admit(self, runtime: Runtime, units: Mapping[str, Run], tasks: Sequence[Task]) -> Sequence[Task]:
        return await engine.admit(runtime, units, tasks)

    async def cancel(self, runtime: Runtime, task_ids: Collection[str]) -> None:
        """Those that are held too: their flow may be paused."""
        await super().cancel(runtime, task_ids)
        await runtime.store.tasks.cancel_held(task_ids)

    async def ended(self, runtime: Runtime, units: Sequence[Run]) -> None:
        await engine.advance(runtime, units)

    async def carry_on(self, runtime: Runtime, limit: int) -> int:
        await archived.sweep(runtime, self, limit)
        return await recovery.sweep(runtime, limit)


def register(runtime: Runtime) -> None:
    """Have a process know of flows; to be called at its start."""
    runtime.part(UnitKinds).register(RunKind())
