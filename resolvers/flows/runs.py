"""Runs of flow jobs: what they get, and their tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from resolvers.flows.ending import fail_job
from resolvers.flows.merging import with_result
from resolvers.owners import jobs, offers
from resolvers.runtime import Runtime, new_seq
from resolvers.units import replicas
from storage import Flow, FlowJob, Level, NodeState, Run, Task, UnitState, Variable

EMPTY = "{}"


@dataclass(frozen=True, slots=True)
class Start:
    """A job whose next run begins, with its arguments as JSON texts."""

    flow_job: FlowJob
    variable: str
    context: str


def is_present(run: Run, flow_job: FlowJob) -> bool:
    """Whether a job has not gone on from this run, by its `while` or by a retry."""
    return run.iteration == flow_job.iteration and run.generation == flow_job.generation


async def inputs(runtime: Runtime, flow: Flow, waiting: Sequence[FlowJob]) -> dict[str, str]:
    """The value of each job's variable by the flow job's id. One that names none gets one picked, and keeps it. A flow
    job whose job or variable is deleted fails, and is left out."""
    gone = {key for key in {each.job for each in waiting} if await runtime.store.jobs.by_key(key) is None}
    for each in waiting:
        if each.job in gone:
            await fail_job(runtime, flow, each, job_is_deleted(each.job))
    waiting = [each for each in waiting if each.job not in gone]
    unnamed: dict[str, list[FlowJob]] = defaultdict(list)
    for each in waiting:
        if not each.variable:
            unnamed[each.job].append(each)
    for job_key, group in unnamed.items():
        picked = await offers.pick_any(runtime, await jobs.get(runtime, job_key), len(group))
        by_variable: dict[str, list[FlowJob]] = defaultdict(list)
        for flow_job, variable in zip(group, picked, strict=False):
            by_variable[variable.key].append(flow_job)
        for key, several in by_variable.items():
            await _keep(runtime, several, key)
    ids = {each.id: Variable.id_of(each.job, each.variable) for each in waiting if each.variable}
    found = await runtime.store.variables.get_many(ids.values())
    values: dict[str, str] = {}
    for each in waiting:
        if each.id not in ids:
            values[each.id] = EMPTY
        elif ids[each.id] in found:
            values[each.id] = found[ids[each.id]].value
        else:
            await fail_job(runtime, flow, each, f"the variable {each.variable!r} of the job {each.job!r} is deleted")
    return values


def job_is_deleted(job_key: str) -> str:
    """Why a flow job fails whose job is not there any more."""
    return f"the job {job_key!r} is deleted and computes nothing more"


async def _keep(runtime: Runtime, group: Sequence[FlowJob], variable: str) -> None:
    """The first pick stands."""
    ids = [each.id for each in group]
    given = await runtime.store.flow_jobs.give_variable(ids, variable)
    current = await runtime.store.flow_jobs.get_many(ids) if given < len(ids) else {}
    for each in group:
        each.variable = current[each.id].variable if each.id in current else variable


async def context_of(runtime: Runtime, level: Level, flow_job: FlowJob) -> str:
    """What a job's present run gets: its level's context, or what its run before returned."""
    if not flow_job.iteration:
        return level.context
    before = flow_job.iteration - 1
    ids = [
        Run.id_of(replace(flow_job, iteration=before, generation=each)) for each in range(flow_job.generation, -1, -1)
    ]
    found = await runtime.store.runs.get_many(ids)
    for run in (found[each] for each in ids if each in found):
        if run.state == UnitState.DONE:
            result = await runtime.store.results.get(Task.id_of(run.id, run.canonical))
            if result is not None:
                return with_result(result.context or EMPTY, result.value)
    return level.context


async def make(runtime: Runtime, flow: Flow, starts: Sequence[Start]) -> None:
    """Store the present run of each job and its tasks. Safe to repeat."""
    by_job: dict[str, list[Run]] = defaultdict(list)
    for start in starts:
        by_job[start.flow_job.job].append(_run(runtime, flow, start))
    await runtime.store.runs.insert_many([run for runs in by_job.values() for run in runs])
    for job_key, runs in by_job.items():
        job = await runtime.store.jobs.by_key(job_key)
        if job is not None:  # Else the sweeper ends them.
            await replicas.open_units(runtime, job, runs)
    by_run: dict[tuple[int, int], list[FlowJob]] = defaultdict(list)
    for start in starts:
        by_run[start.flow_job.generation, start.flow_job.iteration].append(start.flow_job)
    for (generation, iteration), group in by_run.items():
        ids = [each.id for each in group]
        if await runtime.store.flow_jobs.started(ids, generation=generation, iteration=iteration) < len(ids):
            await _withdraw_unwanted(runtime, group)


def _run(runtime: Runtime, flow: Flow, start: Start) -> Run:
    now = runtime.now()
    flow_job = start.flow_job
    return Run(
        id=Run.id_of(flow_job),
        job=flow_job.job,
        value=start.variable,
        context=start.context,
        seq=new_seq(),
        rand=runtime.random.random(),
        due=now + runtime.takeover_ms,
        created_at=now,
        policy=flow_job.policy,
        flow=flow.id,
        level=flow_job.level,
        flow_job=flow_job.id,
        variable=flow_job.variable,
        bare=flow_job.variable if start.context == EMPTY else "",
        iteration=flow_job.iteration,
        generation=flow_job.generation,
    )


async def _withdraw_unwanted(runtime: Runtime, group: Sequence[FlowJob]) -> None:
    """Some of the jobs were cancelled, and perhaps retried, while their runs were being made."""
    current = await runtime.store.flow_jobs.get_many(each.id for each in group)
    for each in group:
        now = current.get(each.id)
        if now is None or now.state == NodeState.CANCELLED or now.generation != each.generation:
            run = Run.id_of(each)
            await runtime.store.runs.give_up(run, UnitState.CANCELLED, "its flow was cancelled", runtime.now())
            await runtime.store.tasks.cancel_ready([Task.id_of(run, number) for number in range(each.replicas)])
