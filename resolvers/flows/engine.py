"""Moving flows on: begin levels, start jobs, take in runs, end levels, end the flow.

Every step is a compare-and-set on one document, taken before what follows from it, and repeated until that is
stored: by the sweeper where a level, a job or a flow has a `due` time, and by the report of the run otherwise, whose
task stays REPORTING until `advance` is through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resolvers import jobs, replicas, variables
from resolvers.flows import conditions
from resolvers.flows.conditions import Question
from resolvers.flows.merging import merge, with_result
from resolvers.policies import Policy
from resolvers.runtime import Runtime, new_seq
from storage.documents import (
    Flow,
    FlowJob,
    FlowState,
    Level,
    NodeState,
    Result,
    Run,
    Task,
    TaskState,
    UnitState,
    Variable,
)

TAKEOVER_MS = 30_000
CHUNK = 500
MAX_CONTEXT_BYTES = 8_000_000
EMPTY = "{}"


async def launch(runtime: Runtime, flow: Flow) -> Flow:
    """NEW -> RUNNING for a flow that is completely stored."""
    due = runtime.now() + TAKEOVER_MS
    await runtime.store.flows.move(flow.id, FlowState.NEW, FlowState.RUNNING, rev=new_seq(), due=due)
    await begin_levels(runtime, flow)
    return await runtime.store.flows.get(flow.id) or flow


async def begin_levels(runtime: Runtime, flow: Flow) -> None:
    """Begin all levels that wait for none; then nothing of the flow is left half-way."""
    after = ""
    while True:
        waiting = await runtime.store.levels.page(
            {"flow": flow.id, "state": NodeState.WAITING}, first=CHUNK, after=after
        )
        for level in waiting:
            if not level.dependents or not await runtime.store.levels.any_unended(level.id):
                await begin_level(runtime, flow, level)
                await settle_level(runtime, flow, level.id)
        if len(waiting) < CHUNK:
            break
        after = waiting[-1].seq
    await runtime.store.flows.set(flow.id, {"due": 0})


async def begin_level(runtime: Runtime, flow: Flow, level: Level) -> None:
    """WAITING -> RUNNING, with the context that the levels below made."""
    context = await _context(runtime, level)
    if len(context.encode()) > MAX_CONTEXT_BYTES:
        reason = f"the merged results below it are over {MAX_CONTEXT_BYTES:,} bytes"
        await fail_level(runtime, flow, level.id, reason)
        return
    now = runtime.now()
    if await runtime.store.levels.begin(level.id, context, rev=new_seq(), now=now, due=now + TAKEOVER_MS):
        level.context = context
        await start_jobs(runtime, flow, level)


async def _context(runtime: Runtime, level: Level) -> str:
    if not level.dependents:
        return EMPTY
    below = await runtime.store.levels.below(level.id, level.dependents)
    return merge(("", each.merged) for each in below)


async def start_jobs(runtime: Runtime, flow: Flow, level: Level) -> None:
    """Start all jobs of a level that wait: the first ones at once, the rest of a large level behind the scenes."""
    if await _start_chunk(runtime, flow, level):
        runtime.spawn(_start_rest(runtime, flow, level))
    else:
        await runtime.store.levels.all_started(level.id)


async def _start_rest(runtime: Runtime, flow: Flow, level: Level) -> None:
    while await _start_chunk(runtime, flow, level):
        await runtime.store.levels.set(level.id, {"due": runtime.now() + TAKEOVER_MS})
    await settle_level(runtime, flow, level.id)
    await runtime.store.levels.all_started(level.id)


async def _start_chunk(runtime: Runtime, flow: Flow, level: Level) -> bool:
    """Start up to `CHUNK` jobs; whether there may be more."""
    waiting = await runtime.store.flow_jobs.of_level(level.id, after=-1, limit=CHUNK, state=NodeState.WAITING)
    if not waiting:
        return False
    inputs = await _inputs(runtime, waiting)
    wanted = await _decide_ifs(runtime, flow, level, waiting, inputs)
    now = runtime.now()
    await runtime.store.flow_jobs.start([each.id for each in wanted], rev=new_seq(), now=now, due=now + TAKEOVER_MS)
    starts = [Start(each, inputs[each.id], await _context_of(runtime, level, each)) for each in wanted]
    await make_runs(runtime, flow, starts)
    return len(waiting) == CHUNK


async def _context_of(runtime: Runtime, level: Level, flow_job: FlowJob) -> str:
    """What a job's present run gets: its level's context, or what its run before returned."""
    if not flow_job.iteration:
        return level.context
    for run in await runtime.store.runs.page({"flow_job": flow_job.id}, first=CHUNK, newest_first=True):
        if run.iteration == flow_job.iteration - 1 and run.state == UnitState.DONE:
            result = await runtime.store.results.get(Task.id_of(run.id, run.canonical))
            if result is not None:
                return with_result(result.context or EMPTY, result.value)
    return level.context


async def _inputs(runtime: Runtime, waiting: Sequence[FlowJob]) -> dict[str, str]:
    """The value of each job's variable by the flow job's id. One that names none gets one picked, and keeps it."""
    for each in waiting:
        if not each.variable:
            await _pick_variable(runtime, each)
    ids = {each.id: Variable.id_of(each.job, each.variable) for each in waiting if each.variable}
    found = await runtime.store.variables.get_many(ids.values())
    return {each.id: found[ids[each.id]].value if each.id in ids else EMPTY for each in waiting}


async def _pick_variable(runtime: Runtime, flow_job: FlowJob) -> None:
    picked = await variables.pick_any(runtime, await jobs.get(runtime, flow_job.job))
    if picked is None:
        return
    if await runtime.store.flow_jobs.give_variable(flow_job.id, picked.key):
        flow_job.variable = picked.key
    else:
        current = await runtime.store.flow_jobs.get(flow_job.id)
        flow_job.variable = current.variable if current else picked.key


async def _decide_ifs(
    runtime: Runtime, flow: Flow, level: Level, waiting: Sequence[FlowJob], inputs: Mapping[str, str]
) -> list[FlowJob]:
    """The jobs that are to run. One whose `if` does not hold is SKIPPED, one whose `if` throws FAILED."""
    asked = [each for each in waiting if each.condition and not each.iteration]
    questions = [Question(each.condition, inputs[each.id], level.context) for each in asked]
    answers = await conditions.ask(runtime, flow.owner or flow.key, questions)
    skipped: set[str] = set()
    failed = False
    for each, answer in zip(asked, answers, strict=True):
        if answer.problem:
            skipped.add(each.id)
            failed = True
            await fail_job(runtime, flow, each, f"its `if` failed: {answer.problem}")
        elif not answer.holds:
            skipped.add(each.id)
            await runtime.store.flow_jobs.end(
                each.id, NodeState.SKIPPED, rev=new_seq(), now=runtime.now(), reason="its `if` did not hold"
            )
    if failed and flow.on_failure == "FAIL":
        return []
    return [each for each in waiting if each.id not in skipped]


@dataclass(frozen=True, slots=True)
class Start:
    """A job whose next run begins, with its arguments as JSON texts."""

    flow_job: FlowJob
    variable: str
    context: str


async def make_runs(runtime: Runtime, flow: Flow, starts: Sequence[Start]) -> None:
    """Store the present run of each job and its tasks. Safe to repeat."""
    if not starts:
        return
    by_job: dict[str, list[Run]] = defaultdict(list)
    for start in starts:
        by_job[start.flow_job.job].append(_run(runtime, flow, start))
    await runtime.store.runs.insert_many([run for runs in by_job.values() for run in runs])
    for job_key, runs in by_job.items():
        await replicas.open_units(runtime, await jobs.get(runtime, job_key), runs)
    ids = [start.flow_job.id for start in starts]
    if await runtime.store.flow_jobs.started(ids, starts[0].flow_job.generation) < len(ids):
        await _withdraw_unwanted(runtime, starts)


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
        due=now + TAKEOVER_MS,
        created_at=now,
        policy=flow_job.policy,
        flow=flow.id,
        flow_job=flow_job.id,
        variable=flow_job.variable,
        bare=flow_job.variable if start.context == EMPTY else "",
        iteration=flow_job.iteration,
        generation=flow_job.generation,
    )


async def _withdraw_unwanted(runtime: Runtime, starts: Sequence[Start]) -> None:
    """Some of the jobs were cancelled while their runs were being made."""
    current = await runtime.store.flow_jobs.get_many(start.flow_job.id for start in starts)
    for start in starts:
        flow_job = current.get(start.flow_job.id)
        if flow_job is None or (flow_job.ended and flow_job.state == NodeState.CANCELLED):
            run = Run.id_of(start.flow_job)
            await runtime.store.runs.give_up(run, UnitState.CANCELLED, "its flow was cancelled", runtime.now())
            made = Policy.of(start.flow_job.policy).first_replicas
            await runtime.store.tasks.cancel_ready([Task.id_of(run, number) for number in range(made)])


async def advance(runtime: Runtime, runs: Sequence[Run]) -> None:
    """Draw the consequences of runs that have ended: repeat, complete or fail their jobs, and end their levels."""
    flows = await runtime.store.flows.get_many(run.flow for run in runs)
    flow_jobs = await runtime.store.flow_jobs.get_many(run.flow_job for run in runs)
    present = [run for run in runs if run.flow_job in flow_jobs and _is_present(run, flow_jobs[run.flow_job])]
    done = [run for run in present if run.state == UnitState.DONE and not flow_jobs[run.flow_job].ended]
    results = await runtime.store.results.get_many(Task.id_of(run.id, run.canonical) for run in done)
    for flow_id in {run.flow for run in done}:
        group = [run for run in done if run.flow == flow_id]
        await _take_results(runtime, flows[flow_id], flow_jobs, group, results)
    for run in present:
        if run.state == UnitState.FAILED:
            await fail_job(runtime, flows[run.flow], flow_jobs[run.flow_job], run.reason)
    for level_id, flow_id in {flow_jobs[run.flow_job].level: run.flow for run in present}.items():
        await settle_level(runtime, flows[flow_id], level_id)


def _is_present(run: Run, flow_job: FlowJob) -> bool:
    return run.iteration == flow_job.iteration and run.generation == flow_job.generation


async def _take_results(
    runtime: Runtime,
    flow: Flow,
    flow_jobs: Mapping[str, FlowJob],
    runs: Sequence[Run],
    results: Mapping[str, Result],
) -> None:
    """Evaluate the `while`s of jobs whose run is done, and repeat or complete them."""
    returned = {
        run.id: with_result(result.context or EMPTY, result.value)
        for run in runs
        if (result := results.get(Task.id_of(run.id, run.canonical)))
    }
    repeating = [run for run in runs if run.id in returned and flow_jobs[run.flow_job].repeat]
    questions = [Question(flow_jobs[run.flow_job].repeat, run.value, returned[run.id]) for run in repeating]
    answers = dict(
        zip(
            (run.id for run in repeating),
            await conditions.ask(runtime, flow.owner or flow.key, questions),
            strict=True,
        )
    )
    for run in runs:
        flow_job = flow_jobs[run.flow_job]
        answer = answers.get(run.id)
        if answer is not None and answer.problem:
            await fail_job(runtime, flow, flow_job, f"its `while` failed: {answer.problem}")
        elif answer is not None and answer.holds:
            await _repeat(runtime, flow, flow_job, Start(flow_job, run.value, returned[run.id]))
        elif run.id in returned:
            value = results[Task.id_of(run.id, run.canonical)].value
            await runtime.store.flow_jobs.complete(flow_job, value, rev=new_seq(), now=runtime.now())


async def _repeat(runtime: Runtime, flow: Flow, flow_job: FlowJob, start: Start) -> None:
    most = flow_job.policy["max_iterations"]
    if flow_job.iteration + 1 >= most:
        await fail_job(runtime, flow, flow_job, f"its `while` still held after {most} runs (max_iterations)")
        return
    due = runtime.now() + TAKEOVER_MS
    if await runtime.store.flow_jobs.repeat(flow_job, rev=new_seq(), due=due):
        flow_job.iteration += 1
        await make_runs(runtime, flow, [start])


async def fail_job(runtime: Runtime, flow: Flow, flow_job: FlowJob, reason: str) -> None:
    """To FAILED; with `onFailure` FAIL the whole flow follows."""
    await runtime.store.flow_jobs.end(flow_job.id, NodeState.FAILED, rev=new_seq(), now=runtime.now(), reason=reason)
    if flow.on_failure == "FAIL":
        await fail_level(runtime, flow, flow_job.level, f"its job {flow_job.alias!r} failed: {reason}")


async def fail_level(runtime: Runtime, flow: Flow, level_id: str, reason: str) -> None:
    await runtime.store.levels.end(level_id, NodeState.FAILED, rev=new_seq(), now=runtime.now(), reason=reason)
    await stop(runtime, flow, FlowState.FAILED, reason)


async def settle_level(runtime: Runtime, flow: Flow, level_id: str) -> None:
    """End a level whose jobs have all ended, then the one that depends on it, and so on up the tree."""
    current: str | None = level_id
    while current:
        current = await _end_level(runtime, flow, current)


async def _end_level(runtime: Runtime, flow: Flow, level_id: str) -> str | None:
    """The level that has begun because this one ended, if so."""
    if await runtime.store.flow_jobs.any_unended(level_id):
        return None
    level = await runtime.store.levels.get(level_id)
    if level is not None and level.state == NodeState.RUNNING:
        jobs_of_level = await _all_jobs(runtime, level)
        failed = [each for each in jobs_of_level if each.state == NodeState.FAILED]
        if failed and flow.on_failure == "FAIL":
            await fail_job(runtime, flow, failed[0], failed[0].reason)
            return None
        await _complete_level(runtime, level, jobs_of_level)
        level = await runtime.store.levels.get(level_id)
    if level is None or level.state not in (NodeState.COMPLETED, NodeState.SKIPPED):
        return None
    return await _go_on(runtime, flow, level)


async def _all_jobs(runtime: Runtime, level: Level) -> list[FlowJob]:
    found: list[FlowJob] = []
    while len(found) < level.jobs:
        after = found[-1].position if found else -1
        page = await runtime.store.flow_jobs.of_level(level.id, after=after, limit=CHUNK)
        if not page:
            break
        found += page
    return found


async def _complete_level(runtime: Runtime, level: Level, jobs_of_level: Sequence[FlowJob]) -> None:
    completed = [each for each in jobs_of_level if each.state == NodeState.COMPLETED]
    skipped = bool(jobs_of_level) and all(each.state == NodeState.SKIPPED for each in jobs_of_level)
    now = runtime.now()
    await runtime.store.levels.end(
        level.id,
        NodeState.SKIPPED if skipped else NodeState.COMPLETED,
        rev=new_seq(),
        now=now,
        merged=merge((each.alias, each.value) for each in completed),
        due=now + TAKEOVER_MS,
    )


async def _go_on(runtime: Runtime, flow: Flow, level: Level) -> str | None:
    """To the parent of a level that has ended, whose id is returned if it begins; or to the end of the flow."""
    begun: str | None = None
    if not level.parent:
        await _complete_flow(runtime, flow, level)
    elif not await runtime.store.levels.any_unended(level.parent):
        parent = await runtime.store.levels.get(level.parent)
        if parent is not None and parent.state == NodeState.WAITING:
            await begin_level(runtime, flow, parent)
            begun = parent.id
    if level.due:
        await runtime.store.levels.set(level.id, {"due": 0})
    return begun


async def _complete_flow(runtime: Runtime, flow: Flow, root: Level) -> None:
    end = {"ended": True, "result": root.merged, "due": 0, "finished_at": runtime.now()}
    for state in (FlowState.RUNNING, FlowState.PAUSED):
        if await runtime.store.flows.move(flow.id, state, FlowState.COMPLETED, rev=new_seq(), **end):
            return


async def stop(runtime: Runtime, flow: Flow, ending: FlowState, reason: str) -> bool:
    """Cancel all of a flow that has not ended, and end it as `ending`; False where it is not running."""
    due = runtime.now() + TAKEOVER_MS
    for state in (FlowState.RUNNING, FlowState.PAUSED):
        if await runtime.store.flows.move(
            flow.id, state, FlowState.CANCELLING, rev=new_seq(), ending=str(ending), reason=reason, due=due
        ):
            await finish_stopping(runtime, flow.id, ending, reason)
            return True
    return False


async def finish_stopping(runtime: Runtime, flow_id: str, ending: FlowState, reason: str) -> None:
    """CANCELLING -> `ending`, after everything in the flow that has not ended is cancelled. Safe to repeat."""
    store, now, rev = runtime.store, runtime.now(), new_seq()
    why = f"the flow was cancelled: {reason}" if ending == FlowState.CANCELLED else f"the flow failed: {reason}"
    await store.flow_jobs.cancel_flow(flow_id, why, rev=rev, now=now)
    await store.levels.cancel_flow(flow_id, why, rev=rev, now=now)
    await store.runs.cancel_flow(flow_id, why, now)
    for waiting in (TaskState.READY, TaskState.HELD):
        await store.tasks.move_flow(flow_id, waiting, TaskState.CANCELLED)
    await store.flows.move(flow_id, FlowState.CANCELLING, ending, rev=new_seq(), ended=True, due=0, finished_at=now)


async def admit(runtime: Runtime, runs: Mapping[str, Run], tasks: Sequence[Task]) -> list[Task]:
    """Of tasks just leased, those whose flows run; the others are held until their flow goes on."""
    flows = await runtime.store.flows.get_many(run.flow for run in runs.values())
    paused = [task for task in tasks if flows[runs[task.unit].flow].state == FlowState.PAUSED]
    for task in paused:
        await runtime.store.tasks.hold([task.id], task.lease)
    # A flow that was resumed before its straggler was held would never ready it again.
    current = await runtime.store.flows.get_many(runs[task.unit].flow for task in paused)
    for flow in current.values():
        if flow.state == FlowState.RUNNING:
            await runtime.store.tasks.move_flow(flow.id, TaskState.HELD, TaskState.READY)
            await runtime.lanes.wake(flow.lanes)
    admitted = [task for task in tasks if task not in paused]
    await runtime.store.flow_jobs.taken({runs[task.unit].flow_job for task in admitted}, new_seq())
    return admitted


async def sweep(runtime: Runtime, limit: int) -> int:
    """Carry on where a process died in the middle of something; how much there was."""
    now = runtime.now()
    found = 0
    for flow in await runtime.store.flows.overdue(now, limit):
        found += 1
        await _resume_flow(runtime, flow)
    for level in await runtime.store.levels.overdue(now, limit):
        found += 1
        await _resume_level(runtime, level)
    for flow_job in await runtime.store.flow_jobs.overdue(now, limit):
        found += 1
        await _resume_job(runtime, flow_job)
    return found


async def _resume_flow(runtime: Runtime, flow: Flow) -> None:
    if flow.state == FlowState.NEW:
        reason = "it was never submitted completely"
        await runtime.store.flows.move(flow.id, FlowState.NEW, FlowState.CANCELLING, rev=new_seq(), reason=reason)
        await finish_stopping(runtime, flow.id, FlowState.CANCELLED, reason)
    elif flow.state == FlowState.CANCELLING:
        await finish_stopping(runtime, flow.id, FlowState(flow.ending), flow.reason)
    elif flow.state == FlowState.RUNNING:
        await reopen(runtime, flow)
    else:
        await runtime.store.flows.set(flow.id, {"due": 0})


async def reopen(runtime: Runtime, flow: Flow) -> None:
    """Have a RUNNING flow go on after a pause or a retry, from whatever waits."""
    store, rev = runtime.store, new_seq()
    again = [NodeState.CANCELLED] if flow.on_failure == "CONTINUE" else [NodeState.CANCELLED, NodeState.FAILED]
    if flow.generation:
        for state in again:
            await store.flow_jobs.reopen(flow.id, state, generation=flow.generation, rev=rev)
            await store.levels.reopen(flow.id, state, generation=flow.generation, rev=rev)
    await store.tasks.move_flow(flow.id, TaskState.HELD, TaskState.READY)
    await runtime.lanes.wake(flow.lanes)
    await begin_levels(runtime, flow)


async def _resume_level(runtime: Runtime, level: Level) -> None:
    flow = await runtime.store.flows.get(level.flow)
    if flow is None or flow.ended:
        await runtime.store.levels.set(level.id, {"due": 0})
    elif level.ended:
        await settle_level(runtime, flow, level.id)
    else:
        await start_jobs(runtime, flow, level)
        await settle_level(runtime, flow, level.id)


async def _resume_job(runtime: Runtime, flow_job: FlowJob) -> None:
    """Make the run that a process did not get to."""
    flow = await runtime.store.flows.get(flow_job.flow)
    level = await runtime.store.levels.get(flow_job.level)
    if flow is None or level is None or flow.ended:
        await runtime.store.flow_jobs.set(flow_job.id, {"due": 0})
        return
    inputs = await _inputs(runtime, [flow_job])
    start = Start(flow_job, inputs[flow_job.id], await _context_of(runtime, level, flow_job))
    await make_runs(runtime, flow, [start])
