"""Levels: they begin when those below have ended, start their jobs, and end when those have."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence

from resolvers import json_text
from resolvers.errors import Unavailable
from resolvers.flows import conditions, runs
from resolvers.flows.conditions import Question
from resolvers.flows.ending import fail_job, fail_level, follow_job
from resolvers.flows.merging import Merge, TooMuch
from resolvers.flows.runs import Start
from resolvers.runtime import Runtime
from storage import Flow, FlowJob, FlowState, Level, NodeState

log = logging.getLogger(__name__)

AT_ONCE = 20
CHUNK = 500
PAGE = 100
"""Of documents that have results in them."""
MAX_CONTEXT_BYTES = json_text.MAX_BYTES
"""A job's function returns its context, and a host must be able to report it."""
MAX_MERGED_BYTES = 8_000_000
DONE = frozenset({NodeState.COMPLETED, NodeState.SKIPPED, NodeState.FAILED})
MERGED = frozenset({NodeState.COMPLETED, NodeState.SKIPPED})


async def begin_all(runtime: Runtime, flow: Flow) -> None:
    """Begin all levels that wait for none; then nothing of the flow is left half-way. The first ones at once, the rest
    of a flow of many levels in the background."""
    if rest := await _begin_some(runtime, flow):
        runtime.spawn(_begin_rest(runtime, flow, rest))
    else:
        await _all_begun(runtime, flow)


async def _begin_rest(runtime: Runtime, flow: Flow, after: str) -> None:
    while after:
        await runtime.store.flows.set_due(flow, runtime.now() + runtime.takeover_ms)
        after = await _begin_some(runtime, flow, after)
    await _all_begun(runtime, flow)


async def _all_begun(runtime: Runtime, flow: Flow) -> None:
    """A flow may have been stopped between the end of its root and its own."""
    await settle(runtime, flow, Level.id_of(flow.key, 0))
    await runtime.store.flows.set_due(flow, 0)


async def _begin_some(runtime: Runtime, flow: Flow, after: str = "") -> str:
    """Begin levels after a cursor; where to go on, or empty."""
    matching = {"flow": flow.id, "state": NodeState.WAITING}
    waiting = await runtime.store.levels.page(matching, first=AT_ONCE, after=after)
    for level in waiting:
        if not level.dependents or not await runtime.store.levels.any_unended(level.id):
            try:
                await begin(runtime, flow, level)
                await settle(runtime, flow, level.id)
            except Unavailable as problem:
                # It has begun, and is due.
                log.warning("%s has to wait: %s", level.id, problem.message)
    return waiting[-1].seq if len(waiting) == AT_ONCE else ""


async def begin(runtime: Runtime, flow: Flow, level: Level) -> None:
    """WAITING -> RUNNING, with the context that the levels below made; nothing where one of them made none."""
    try:
        context = await _context(runtime, level)
    except TooMuch as problem:
        await fail_level(runtime, flow, level.id, f"the merged results below it are {problem}")
        return
    if context is None:
        return
    now = runtime.now()
    if await runtime.store.levels.begin(level, context, now=now, due=now + runtime.takeover_ms):
        await start_jobs(runtime, flow, level)


async def _context(runtime: Runtime, level: Level) -> str | None:
    """What the levels below merged into together; None where one of them merged into nothing. Raises TooMuch."""
    merge = Merge(MAX_CONTEXT_BYTES)
    for start in range(0, level.dependents, PAGE):
        below = await runtime.store.levels.below(level.id, after=start - 1, limit=PAGE)
        if any(each.state not in MERGED for each in below):
            return None
        merge.add(("", each.merged) for each in below)
    return merge.text()


async def start_jobs(runtime: Runtime, flow: Flow, level: Level) -> None:
    """Start all jobs of a level that wait: the first ones at once, the rest of a large level in the background."""
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
    """Start up to `CHUNK` jobs; whether there may be more. Raises Unavailable, once the others have started, where an
    `if` can't be evaluated now."""
    waiting = await runtime.store.flow_jobs.of_level(level.id, after=-1, limit=CHUNK, state=NodeState.WAITING)
    if not waiting:
        return False
    inputs = await runs.inputs(runtime, flow, waiting)
    if len(inputs) < len(waiting) and flow.on_failure == "FAIL":
        return False
    there = [each for each in waiting if each.id in inputs]
    wanted, unanswered = await _decide_ifs(runtime, flow, level, there, inputs)
    if wanted:
        ids, now = [each.id for each in wanted], runtime.now()
        await runtime.store.flow_jobs.start(ids, generation=level.generation, now=now, due=now + runtime.takeover_ms)
        starts = [Start(each, inputs[each.id], await runs.context_of(runtime, level, each)) for each in wanted]
        await runs.make(runtime, flow, starts)
    if unanswered:
        raise Unavailable(unanswered)
    return len(waiting) == CHUNK


async def _decide_ifs(
    runtime: Runtime, flow: Flow, level: Level, waiting: Sequence[FlowJob], inputs: Mapping[str, str]
) -> tuple[list[FlowJob], str]:
    """The jobs that are to run, and why some can't be decided now. One whose `if` does not hold is SKIPPED, one whose
    `if` throws FAILED."""
    asked = [each for each in waiting if each.condition and not each.iteration]
    questions = [Question(each.condition, inputs[each.id], level.context) for each in asked]
    answers = await conditions.ask(runtime, flow, questions)
    left_out: set[str] = set()
    failed, unanswered = False, ""
    for each, answer in zip(asked, answers, strict=True):
        if not answer.holds:
            left_out.add(each.id)
        if answer.unanswered:
            unanswered = answer.unanswered
        elif answer.problem is not None:
            failed = True
            await fail_job(runtime, flow, each, f"its `if` failed: {answer.problem}")
        elif not answer.holds:
            await runtime.store.flow_jobs.end(
                each, NodeState.SKIPPED, now=runtime.now(), reason="its `if` did not hold"
            )
    if failed and flow.on_failure == "FAIL":
        return [], ""
    return [each for each in waiting if each.id not in left_out], unanswered


async def settle(runtime: Runtime, flow: Flow, level_id: str) -> None:
    """End a level whose jobs have all ended, then the level that depends on it, and so on up the tree."""
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
    merge = Merge(MAX_MERGED_BYTES)
    states: set[str] = set()
    try:
        async for ended in _job_pages(runtime, level):
            states |= {each.state for each in ended}
            if not states <= DONE:
                return  # They were cancelled, and so is the level.
            failed = [each for each in ended if each.state == NodeState.FAILED]
            if failed and flow.on_failure == "FAIL":
                await follow_job(runtime, flow, failed[0], failed[0].reason)
                return
            merge.add((each.alias, each.value) for each in ended if each.state == NodeState.COMPLETED)
        merged = merge.text()
    except TooMuch as problem:
        await fail_level(runtime, flow, level.id, f"its merged results are {problem}")
        return
    now = runtime.now()
    await runtime.store.levels.end(
        level.id,
        level.generation,
        NodeState.SKIPPED if states == {NodeState.SKIPPED} else NodeState.COMPLETED,
        now=now,
        merged=merged,
        due=now + runtime.takeover_ms,
    )


async def _job_pages(runtime: Runtime, level: Level) -> AsyncIterator[Sequence[FlowJob]]:
    after = -1
    while page := await runtime.store.flow_jobs.of_level(level.id, after=after, limit=PAGE):
        yield page
        after = page[-1].position
        if len(page) < PAGE:
            break


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
        if await runtime.store.flows.move(flow, state, FlowState.COMPLETED, **end):
            return
