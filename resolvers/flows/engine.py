"""Moving flows on: start them, take in what their runs brought, hand out only what is to run.

Every step is a compare-and-set on one document, taken before what follows from it, and repeated until that is
stored: by the sweeper (`recovery`) where a level, a job or a flow has a `due` time, and by the report of the run
otherwise, whose task stays REPORTING until `advance` is through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from resolvers.errors import StorageUnavailable, Unavailable
from resolvers.flows import conditions, levels, runs
from resolvers.flows.conditions import Question
from resolvers.flows.ending import fail_job
from resolvers.flows.merging import with_result
from resolvers.flows.runs import EMPTY, Start
from resolvers.runtime import Runtime
from resolvers.units.queues import OpenQueues
from storage import Flow, FlowJob, FlowState, NodeState, Result, Run, Task, TaskState, UnitState


async def launch(runtime: Runtime, flow: Flow) -> Flow:
    """NEW -> RUNNING for a flow that is completely stored; the flow as it is now."""
    due = runtime.now() + runtime.takeover_ms
    launched = await runtime.store.flows.move(flow, FlowState.NEW, FlowState.RUNNING, due=due)
    current = await runtime.store.flows.get(flow.id) or flow
    if not launched:
        return current
    await levels.begin_all(runtime, current)
    return await runtime.store.flows.get(flow.id) or current


async def reopen(runtime: Runtime, flow: Flow) -> None:
    """Have a RUNNING flow go on after a pause or a retry, from whatever waits."""
    if flow.generation:
        for state in (NodeState.CANCELLED, NodeState.FAILED):
            # With `onFailure` CONTINUE a job that failed is done with.
            if state == NodeState.CANCELLED or flow.on_failure == "FAIL":
                await runtime.store.flow_jobs.reopen(flow, state)
            await runtime.store.levels.reopen(flow, state)
    await _free(runtime, flow, until=0)
    await levels.begin_all(runtime, flow)


async def free_resumed(runtime: Runtime, flow_ids: Iterable[str]) -> None:
    """Undo holding tasks of flows that were resumed before: nobody else would ready them again."""
    for flow in (await runtime.store.flows.get_many(flow_ids)).values():
        if flow.state == FlowState.RUNNING:
            await _free(runtime, flow, until=runtime.now() + runtime.takeover_ms)


async def _free(runtime: Runtime, flow: Flow, *, until: int) -> None:
    """HELD -> READY. Their queues are woken at `until` too, in case this process dies before it does."""
    await runtime.store.tasks.move_flow(flow.id, TaskState.HELD, TaskState.READY, until=until)
    await runtime.part(OpenQueues).wake(flow.queues)


async def advance(runtime: Runtime, ended: Sequence[Run]) -> None:
    """Draw the consequences of runs that have ended: repeat, complete or fail their jobs, and end their levels.

    What goes wrong in one flow is raised once the others are through: Unavailable, where a condition can't be
    evaluated now.
    """
    flows = await runtime.store.flows.get_many(run.flow for run in ended)
    flow_jobs = await runtime.store.flow_jobs.get_many(run.flow_job for run in ended)
    present: dict[str, list[Run]] = defaultdict(list)
    for run in ended:
        if run.flow in flows and run.flow_job in flow_jobs and runs.is_present(run, flow_jobs[run.flow_job]):
            present[run.flow].append(run)
    results = await runtime.store.results.get_many(
        Task.id_of(run.id, run.canonical)
        for group in present.values()
        for run in group
        if run.state == UnitState.DONE and not flow_jobs[run.flow_job].ended
    )
    wrong: Exception | None = None
    for flow_id, group in present.items():
        try:
            await _advance_flow(runtime, flows[flow_id], flow_jobs, group, results)
        except StorageUnavailable:
            raise
        except Exception as problem:
            wrong = wrong or problem
    if wrong is not None:
        raise wrong


async def _advance_flow(
    runtime: Runtime,
    flow: Flow,
    flow_jobs: Mapping[str, FlowJob],
    ended: Sequence[Run],
    results: Mapping[str, Result],
) -> None:
    for run in ended:
        if run.state == UnitState.FAILED:
            await fail_job(runtime, flow, flow_jobs[run.flow_job], run.reason)
    unanswered = await _take_results(runtime, flow, flow_jobs, ended, results)
    for level_id in dict.fromkeys(flow_jobs[run.flow_job].level for run in ended):
        await levels.settle(runtime, flow, level_id)
    if unanswered:
        raise Unavailable(unanswered)


async def _take_results(
    runtime: Runtime,
    flow: Flow,
    flow_jobs: Mapping[str, FlowJob],
    ended: Sequence[Run],
    results: Mapping[str, Result],
) -> str:
    """Evaluate the `while`s of jobs whose run is done, and repeat or complete them; why some can't be evaluated now."""
    done = {run.id: result for run in ended if (result := results.get(Task.id_of(run.id, run.canonical)))}
    returned = {run_id: with_result(result.context or EMPTY, result.value) for run_id, result in done.items()}
    taken = [run for run in ended if run.id in done]
    repeating = [run for run in taken if flow_jobs[run.flow_job].repeat]
    questions = [Question(flow_jobs[run.flow_job].repeat, run.value, returned[run.id]) for run in repeating]
    answers = await conditions.ask(runtime, flow, questions)
    answered = {run.id: answer for run, answer in zip(repeating, answers, strict=True)}
    unanswered = ""
    for run in taken:
        flow_job, answer = flow_jobs[run.flow_job], answered.get(run.id)
        if answer is not None and answer.unanswered:
            unanswered = answer.unanswered
        elif answer is not None and answer.problem is not None:
            await fail_job(runtime, flow, flow_job, f"its `while` failed: {answer.problem}")
        elif answer is not None and answer.holds:
            await _repeat(runtime, flow, Start(flow_job, run.value, returned[run.id]))
        else:
            await runtime.store.flow_jobs.end(
                flow_job, NodeState.COMPLETED, now=runtime.now(), value=done[run.id].value
            )
    return unanswered


async def _repeat(runtime: Runtime, flow: Flow, start: Start) -> None:
    flow_job = start.flow_job
    most = flow_job.policy["max_iterations"]
    if await _has_made(runtime, flow_job, most):
        await fail_job(runtime, flow, flow_job, f"its `while` still held after {most} runs (max_iterations)")
        return
    due = runtime.now() + runtime.takeover_ms
    if await runtime.store.flow_jobs.repeat(flow_job, due=due):
        flow_job.iteration += 1
        await runs.make(runtime, flow, [start])


async def _has_made(runtime: Runtime, flow_job: FlowJob, most: int) -> bool:
    """Whether a job has made so many runs, the present one among them, since its flow was submitted or last retried."""
    first = flow_job.iteration + 1 - most
    if first < 0:
        return False
    return await runtime.store.runs.get(Run.id_of(replace(flow_job, iteration=first))) is not None


async def admit(runtime: Runtime, runs_of: Mapping[str, Run], tasks: Sequence[Task]) -> list[Task]:
    """Of tasks just leased, those whose flows run; those of paused flows are held until they go on, and those of
    flows that have ended cancelled."""
    flows = await runtime.store.flows.get_many(run.flow for run in runs_of.values())
    by_state: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        flow = flows.get(runs_of[task.unit].flow)
        by_state[flow.state if flow else FlowState.CANCELLED].append(task)
    admitted = by_state.pop(FlowState.RUNNING, [])
    paused = by_state.pop(FlowState.PAUSED, [])
    for task in paused:
        await runtime.store.tasks.hold([task.id], task.lease, until=runtime.now() + runtime.takeover_ms)
    await free_resumed(runtime, {runs_of[task.unit].flow for task in paused})
    stale = [task.id for group in by_state.values() for task in group]
    if stale:
        await runtime.store.tasks.finish(stale, TaskState.LEASED, TaskState.CANCELLED)
    await runtime.store.flow_jobs.taken({runs_of[task.unit].flow_job for task in admitted})
    return admitted
