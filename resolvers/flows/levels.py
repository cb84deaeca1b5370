"""Levels: they begin when those below have ended, start their jobs, and end when those have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resolvers.flows import conditions, runs
from resolvers.flows.conditions import Question
from resolvers.flows.ending import fail_job, fail_level, follow_job
from resolvers.flows.merging import merge
from resolvers.flows.runs import Start
from resolvers.runtime import Runtime, new_seq
from storage.documents import Flow, FlowJob, FlowState, Level, NodeState

CHUNK = 500
MAX_CONTEXT_BYTES = 8_000_000
MERGED = frozenset({NodeState.COMPLETED, NodeState.SKIPPED})


async def begin_all(runtime: Runtime, flow: Flow) -> None:
    """Begin all levels that wait for none; then nothing of the flow is left half-way."""
    after = ""
    while True:
        waiting = await runtime.store.levels.page(
            {"flow": flow.id, "state": NodeState.WAITING}, first=CHUNK, after=after
        )
        for level in waiting:
            if not level.dependents or not await runtime.store.levels.any_unended(level.id):
                await begin(runtime, flow, level)
                await settle(runtime, flow, level.id)
        if len(waiting) < CHUNK:
            break
        after = waiting[-1].seq
    # A flow may have been stopped between the end of its root and its own.
    await settle(runtime, flow, Level.id_of(flow.key, 0))
    await runtime.store.flows.set_due(flow, 0)


async def begin(runtime: Runtime, flow: Flow, level: Level) -> None:
    """WAITING -> RUNNING, with the context that the levels below made; nothing where one of them made none."""
    below = await runtime.store.levels.below(level.id, level.dependents) if level.dependents else []
    if any(each.state not in MERGED for each in below):
        return
    context = merge(("", each.merged) for each in below)
    if len(context.encode()) > MAX_CONTEXT_BYTES:
        reason = f"the merged results below it are over {MAX_CONTEXT_BYTES:,} bytes"
        await fail_level(runtime, flow, level.id, reason)
        return
    now = runtime.now()
    if await runtime.store.levels.begin(level, context, rev=new_seq(), now=now, due=now + runtime.takeover_ms):
        await start_jobs(runtime, flow, level)


async def start_jobs(runtime: Runtime, flow: Flow, level: Level) -> None:
    """Start all jobs of a level that wait: the first ones at once, the rest of a large level behind the scenes."""
    if await _start_chunk(runtime, flow, level):
        runtime.spawn(_start_rest(runtime, flow, level))
    else:
        await _all_started(runtime, level)


async def _all_started(runtime: Runtime, level: Level) -> None:
    """Reports of its jobs move the level on from here; where all have ended already, it is still to be settled."""
    if await runtime.store.flow_jobs.any_unended(level.id):
        await runtime.store.levels.set_due(level, 0)


async def _start_rest(runtime: Runtime, flow: Flow, level: Level) -> None:
    while await _start_chunk(runtime, flow, level):
        await runtime.store.levels.set_due(level, runtime.now() + runtime.takeover_ms)
    await _all_started(runtime, level)
    await settle(runtime, flow, level.id)


async def _start_chunk(runtime: Runtime, flow: Flow, level: Level) -> bool:
    """Start up to `CHUNK` jobs; whether there may be more."""
    waiting = await runtime.store.flow_jobs.of_level(level.id, after=-1, limit=CHUNK, state=NodeState.WAITING)
    if not waiting:
        return False
    inputs = await runs.inputs(runtime, waiting)
    wanted = await _decide_ifs(runtime, flow, level, waiting, inputs)
    if wanted:
        ids, now = [each.id for each in wanted], runtime.now()
        await runtime.store.flow_jobs.start(
            ids, generation=level.generation, rev=new_seq(), now=now, due=now + runtime.takeover_ms
        )
        starts = [Start(each, inputs[each.id], await runs.context_of(runtime, level, each)) for each in wanted]
        await runs.make(runtime, flow, starts)
    return len(waiting) == CHUNK


async def _decide_ifs(
    runtime: Runtime, flow: Flow, level: Level, waiting: Sequence[FlowJob], inputs: Mapping[str, str]
) -> list[FlowJob]:
    """The jobs that are to run. One whose `if` does not hold is SKIPPED, one whose `if` throws FAILED."""
    asked = [each for each in waiting if each.condition and not each.iteration]
    questions = [Question(each.condition, inputs[each.id], level.context) for each in asked]
    answers = await conditions.ask(runtime, flow.owner or flow.key, questions)
    decided: set[str] = set()
    failed = False
    for each, answer in zip(asked, answers, strict=True):
        if answer.problem:
            failed = True
            decided.add(each.id)
            await fail_job(runtime, flow, each, f"its `if` failed: {answer.problem}")
        elif not answer.holds:
            decided.add(each.id)
            await runtime.store.flow_jobs.end(
                each, NodeState.SKIPPED, rev=new_seq(), now=runtime.now(), reason="its `if` did not hold"
            )
    if failed and flow.on_failure == "FAIL":
        return []
    return [each for each in waiting if each.id not in decided]


async def settle(runtime: Runtime, flow: Flow, level_id: str) -> None:
    """End a level whose jobs have all ended, then the one that depends on it, and so on up the tree."""
    current: str | None = level_id
    while current:
        current = await _end(runtime, flow, current)


async def _end(runtime: Runtime, flow: Flow, level_id: str) -> str | None:
    """The level that has begun because this one ended, if so."""
    if await runtime.store.flow_jobs.any_unended(level_id):
        return None
    level = await runtime.store.levels.get(level_id)
    if level is not None and level.state == NodeState.RUNNING:
        await _complete(runtime, flow, level)
        level = await runtime.store.levels.get(level_id)
    if level is None or level.state not in MERGED:
        return None
    return await _go_on(runtime, flow, level)


async def _complete(runtime: Runtime, flow: Flow, level: Level) -> None:
    """To COMPLETED or SKIPPED with what its jobs made together, or to FAILED."""
    ended = await _all_jobs(runtime, level)
    failed = [each for each in ended if each.state == NodeState.FAILED]
    if failed and flow.on_failure == "FAIL":
        await follow_job(runtime, flow, failed[0], failed[0].reason)
        return
    merged = merge((each.alias, each.value) for each in ended if each.state == NodeState.COMPLETED)
    if len(merged.encode()) > MAX_CONTEXT_BYTES:
        await fail_level(runtime, flow, level.id, f"its merged results are over {MAX_CONTEXT_BYTES:,} bytes")
        return
    skipped = bool(ended) and all(each.state == NodeState.SKIPPED for each in ended)
    now = runtime.now()
    await runtime.store.levels.end(
        level.id,
        level.generation,
        NodeState.SKIPPED if skipped else NodeState.COMPLETED,
        rev=new_seq(),
        now=now,
        merged=merged,
        due=now + runtime.takeover_ms,
    )


async def _all_jobs(runtime: Runtime, level: Level) -> list[FlowJob]:
    found: list[FlowJob] = []
    while len(found) < level.jobs:
        after = found[-1].position if found else -1
        page = await runtime.store.flow_jobs.of_level(level.id, after=after, limit=CHUNK)
        if not page:
            break
        found += page
    return found


async def _go_on(runtime: Runtime, flow: Flow, level: Level) -> str | None:
    """To the parent of a level that has ended, whose id is returned if it begins; or to the end of the flow."""
    begun: str | None = None
    if not level.parent:
        await _complete_flow(runtime, flow, level)
    elif not await runtime.store.levels.any_unended(level.parent):
        parent = await runtime.store.levels.get(level.parent)
        if parent is not None and parent.state == NodeState.WAITING:
            await begin(runtime, flow, parent)
            begun = parent.id
    if level.due:
        await runtime.store.levels.set_due(level, 0)
    return begun


async def _complete_flow(runtime: Runtime, flow: Flow, root: Level) -> None:
    end = {"ended": True, "result": root.merged, "due": 0, "finished_at": runtime.now()}
    for state in (FlowState.RUNNING, FlowState.PAUSED):
        if await runtime.store.flows.move(flow, state, FlowState.COMPLETED, rev=new_seq(), **end):
            return
