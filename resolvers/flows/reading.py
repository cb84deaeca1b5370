"""Reading flows, their levels and jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from resolvers.access.principals import EVERYBODY, Principal
from resolvers.access.visibility import may_read, may_read_owned
from resolvers.errors import BadInput, NotFound
from resolvers.identifiers import FLOW_KEY, NODE_NUMBER, RUN_ID, checked_cursor, checked_text
from resolvers.runtime import Runtime
from resolvers.units import tasks
from storage import Flow, FlowJob, FlowState, Level, NodeState, Result, Run, Task
from storage.flow_nodes import FlowNodes

PAGE = 1_000
MOST_LOOKS = 10
"""How many pages of flows are looked through for one of those that may be read."""
MOST_NAME_CHARACTERS = 200


async def get(runtime: Runtime, key: str, principal: Principal = EVERYBODY) -> Flow:
    """A flow that the principal may read. Raises NotFound."""
    flow = await runtime.store.flows.get(Flow.id_of(key)) if FLOW_KEY.fullmatch(key) else None
    if flow is None or not may_read_owned(principal, flow):
        raise NotFound(f"there is no flow {key[:100]!r}", field="flow")
    return flow


async def page(
    runtime: Runtime,
    *,
    first: int,
    after: str = "",
    state: FlowState | None = None,
    owner: str = "",
    principal: Principal = EVERYBODY,
) -> tuple[Sequence[Flow], str]:
    """Flows (in one state, of one owner) that the principal may read, the newest first. Where there are many between
    them that it may not read, fewer are found, and the cursor to go on after is returned beside them; else empty."""
    checked_text(owner, field="owner", most=MOST_NAME_CHARACTERS)
    matching: dict[str, str] = {}
    if owner:
        matching["owner"] = owner
    if state is not None:
        matching["state"] = state
    found: list[Flow] = []
    cursor = checked_cursor(after)
    for _ in range(MOST_LOOKS):
        flows = await runtime.store.flows.page(matching, first=first, after=cursor, newest_first=True)
        found += [each for each in flows if may_read_owned(principal, each)]
        if len(found) >= first or len(flows) < first:
            return found[:first], ""
        cursor = flows[-1].seq
    return found, cursor


async def get_job(runtime: Runtime, flow_key: str, number: str, principal: Principal = EVERYBODY) -> FlowJob:
    """A job of a flow that the principal may read. Raises NotFound."""
    await get(runtime, flow_key)
    named = NODE_NUMBER.fullmatch(number)
    found = await runtime.store.flow_jobs.get(FlowJob.id_of(flow_key, int(number))) if named else None
    if found is None or not await may_read(runtime, principal, found):
        raise NotFound(f"there is no job {number[:20]!r} in the flow {flow_key[:100]!r}")
    return found


async def get_level(runtime: Runtime, flow_key: str, number: str, principal: Principal = EVERYBODY) -> Level:
    """A level of a flow that the principal may read. Raises NotFound."""
    await get(runtime, flow_key)
    named = NODE_NUMBER.fullmatch(number)
    found = await runtime.store.levels.get(Level.id_of(flow_key, int(number))) if named else None
    if found is None or not await may_read(runtime, principal, found):
        raise NotFound(f"there is no level {number[:20]!r} in the flow {flow_key[:100]!r}")
    return found


async def jobs_page(
    runtime: Runtime, flow: Flow, *, first: int, after: str = "", state: NodeState | None = None
) -> Sequence[FlowJob]:
    """The jobs of a flow (in one state) in the order of its text, after a cursor. Raises BadInput for a cursor that is
    none."""
    _check_number(after)
    matching = {"flow": flow.id} if state is None else {"flow": flow.id, "state": str(state)}
    return await runtime.store.flow_jobs.page(matching, first=first, after=after)


async def level_jobs_page(runtime: Runtime, level: Level, *, first: int, after: str = "") -> Sequence[FlowJob]:
    """The jobs of a level after a position (a number as text, or empty). Raises BadInput."""
    _check_number(after)
    return await runtime.store.flow_jobs.of_level(level.id, after=int(after or -1), limit=first)


def _check_number(cursor: str) -> None:
    if cursor and not NODE_NUMBER.fullmatch(cursor):
        raise BadInput(f"{cursor[:100]!r} is no cursor of this list", field="after")


async def levels_below(runtime: Runtime, level: Level, *, first: int, after: str = "") -> Sequence[Level]:
    """The levels that this one depends on, after a position (a number as text, or empty). Raises BadInput."""
    _check_number(after)
    return await runtime.store.levels.below(level.id, after=int(after or -1), limit=first)


async def runs_page(runtime: Runtime, flow_job: FlowJob, *, first: int, after: str = "") -> Sequence[Run]:
    """A job's runs, the first one first."""
    return await runtime.store.runs.page({"flow_job": flow_job.id}, first=first, after=checked_cursor(after))


async def get_run(runtime: Runtime, run_id: str, principal: Principal = EVERYBODY) -> Run:
    """A run that the principal may read. Raises NotFound."""
    run = await runtime.store.runs.get(run_id) if RUN_ID.fullmatch(run_id) else None
    if run is None or await runtime.store.flows.get(run.flow) is None or not await may_read(runtime, principal, run):
        raise NotFound(f"there is no run {run_id[:200]!r}")
    return run


async def run_results(runtime: Runtime, run: Run) -> Sequence[Result]:
    """What hosts reported for a run, the first one first."""
    return await runtime.store.results.page({"unit": run.id}, first=PAGE)


async def run_tasks(runtime: Runtime, run: Run) -> Sequence[Task]:
    return await tasks.of_unit(runtime, run)


async def tree(runtime: Runtime, flow: Flow) -> str:
    """The whole flow as nested JSON, for pictures: levels as `{id, state, jobs, dependent}`, jobs as
    `{id, job, as, state, iteration, startedAt, finishedAt}` with times in ms since the epoch (0: not yet)."""
    levels = await _outlines(runtime.store.levels, flow, ("number", "state", "parent"))
    jobs_by_level: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in await _outlines(
        runtime.store.flow_jobs,
        flow,
        ("number", "level", "job", "alias", "state", "iteration", "started_at", "finished_at"),
    ):
        jobs_by_level[each["level"]].append(
            {
                "id": str(each["number"]),
                "job": each["job"],
                "as": each["alias"],
                "state": each["state"].upper(),
                "iteration": each["iteration"],
                "startedAt": each["started_at"],
                "finishedAt": each["finished_at"],
            }
        )
    return _nested(levels, jobs_by_level)


async def _outlines(
    repository: FlowNodes[Level] | FlowNodes[FlowJob], flow: Flow, fields: Sequence[str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else ""
        chunk = await repository.outlines(flow.id, fields, after=after, limit=PAGE)
        found += chunk
        if len(chunk) < PAGE:
            return found


def _nested(levels: Sequence[Mapping[str, Any]], jobs_by_level: Mapping[str, list[dict[str, Any]]]) -> str:
    """Levels come with every parent before its children: written from the last one on, each finds those below it
    written already. No encoder goes as deep as flows may."""
    below: dict[str, list[str]] = defaultdict(list)
    for level in reversed(levels):
        told = {"id": str(level["number"]), "state": level["state"].upper(), "jobs": jobs_by_level[level["_id"]]}
        dependent = ",".join(reversed(below[level["_id"]]))
        below[level["parent"]].append(f'{orjson.dumps(told).decode()[:-1]},"dependent":[{dependent}]}}')
    return next(iter(below[""]), "{}")
