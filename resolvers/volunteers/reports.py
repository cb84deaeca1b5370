"""Taking in the results of leased tasks."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resolvers import json_text
from resolvers.errors import BadInput, LeaseLost, PoolError, Unavailable
from resolvers.identifiers import check_lease
from resolvers.owners.validators import Judgement, Reported, judge
from resolvers.runtime import Runtime, new_seq
from resolvers.space import Space
from resolvers.turns import aside
from resolvers.units import credit, decisions
from resolvers.units.kinds import UnitKind, UnitKinds
from resolvers.units.policies import policy_of
from resolvers.units.queues import OpenQueues
from resolvers.volunteers.blocks import Blocks
from storage import Job, Result, Task, TaskState, Unit, Verdict

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
MAX_ERROR_CHARACTERS = 500
MAX_ELAPSED_MS = 30 * 24 * 3600 * 1000
MISSING: Final = object()
"""The value of a report that has none; null is one."""
NAMELESS_ERROR = "Error: (no message)"
REPORTED = frozenset({TaskState.REPORTING, TaskState.REPORTED})


@dataclass(frozen=True, slots=True)
class Report:
    """What a host says of one task: a value with the returned context, or the error that its function threw, which may
    be an empty text."""

    task: str
    token: str
    value: Any = MISSING
    context: Any = None
    error: str | None = None
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stored result of a report, or why it was turned away."""

    result: Result | None
    problem: PoolError | None = None


async def submit(runtime: Runtime, host: str, reports: Sequence[Report], *, group: str = "") -> list[Receipt]:
    """Store what a host computed; one receipt for each report, in order.

    Repeating a report changes nothing and answers the same. One that can't be taken (a bad value, a lost lease)
    says so in its place and leaves the others alone; so do all of a host that is blocked, or asks from an address
    `group` that is. A lease that ran out is taken all the same while nobody
    decided its unit. Raises BadInput for too many reports, and Unavailable while there is no room for them.
    """
    if not 1 <= len(reports) <= MOST_AT_ONCE:
        raise BadInput(f"results takes 1 to {MOST_AT_ONCE} at once, got {len(reports)}", field="results")
    runtime.part(Space).check_for_results()
    if runtime.part(Blocks).of(host=host, group=group):
        return [Receipt(None, _blocked(report, at)) for at, report in enumerate(reports)]
    problems: dict[int, PoolError] = {}
    places: dict[str, int] = {}
    results: dict[str, Result] = {}
    by_token: dict[str, list[str]] = defaultdict(list)
    for at, report in enumerate(reports):
        try:
            if report.task in places:
                raise BadInput(f"the task of results[{places[report.task]}] comes twice", field=f"results[{at}].task")
            weight = json_text.weight(report.value, report.context)
            results[report.task] = await aside(_result, runtime, host, report, f"results[{at}]", weight=weight)
        except PoolError as problem:
            problems[at] = problem
        else:
            places[report.task] = at
            by_token[report.token].append(report.task)
    repeated: list[str] = []
    for token, ids in by_token.items():
        begun = await _begin(runtime, host, token, ids)
        repeated += begun.repeated
        for task in begun.lost:
            message = f"the task {task} is not leased to this host by this token"
            problems[places[task]] = LeaseLost(message, field=f"results[{places[task]}].lease")
    stored = await runtime.store.results.get_many(repeated)
    fresh = [each for each in results.values() if places[each.id] not in problems and each.id not in stored]
    taken = await take_in(runtime, fresh, stored.values())
    return [
        Receipt(None, problems[at]) if at in problems else _receipt(taken.get(report.task), report, at)
        for at, report in enumerate(reports)
    ]


def _blocked(report: Report, at: int) -> LeaseLost:
    message = f"the task {report.task} went to others: the pool's operator has blocked this host, or its network"
    return LeaseLost(message, field=f"results[{at}].lease")


def _receipt(result: Result | None, report: Report, at: int) -> Receipt:
    if result is not None:
        return Receipt(result)
    message = f"the task {report.task} is gone: its job, variable or flow was deleted or rejected"
    return Receipt(None, LeaseLost(message, field=f"results[{at}].lease"))


def _result(runtime: Runtime, host: str, report: Report, field: str) -> Result:
    check_lease(report.task, report.token, field=field)
    unit, number = Task.split(report.task)
    if not 0 <= report.elapsed_ms <= MAX_ELAPSED_MS:
        raise BadInput(
            f"elapsedMilliseconds takes 0 to {MAX_ELAPSED_MS:,} (30 days), got {report.elapsed_ms:,}",
            field=f"{field}.elapsedMilliseconds",
        )
    if (report.value is MISSING) == (report.error is None):
        both = "both" if report.error is not None else "neither"
        raise BadInput(
            f"a result takes either a value (null is one) or an error, got {both}: send what was computed as `value`, "
            "or what was thrown as `error`",
            field=field,
        )
    result = Result(
        id=report.task,
        unit=unit,
        job="",
        number=number,
        host=host,
        seq=new_seq(),
        elapsed_ms=report.elapsed_ms,
        created_at=runtime.now(),
    )
    if report.error is not None:
        result.error = report.error.strip()[:MAX_ERROR_CHARACTERS] or NAMELESS_ERROR
    else:
        result.value = json_text.checked(report.value, field=f"{field}.value")
        result.context = checked_context(report.context, f"{field}.context")
    return result


def checked_context(value: Any, field: str) -> str:
    """A context as JSON text, `{}` if it is missing. It holds values, and may be a level deeper than a value.

    Raises BadInput for anything but an object, and what `checked` raises."""
    if value is None:
        return "{}"
    text = json_text.checked(value, field=field, max_nesting=json_text.MAX_NESTING + 1)
    if not text.lstrip().startswith("{"):
        raise BadInput(f"{field} takes an object, got {text[:50]}", field=field)
    return text


@dataclass(slots=True)
class Begun:
    """Of tasks to report by one lease: those that may have been reported before, and those whose lease is lost."""

    repeated: list[str]
    lost: list[str]


async def _begin(runtime: Runtime, host: str, token: str, ids: Sequence[str]) -> Begun:
    """Turn the leases of one token into reports under way."""
    until = runtime.now() + runtime.takeover_ms
    begin = runtime.store.tasks.begin_report
    begun = Begun([], [])
    if await begin(ids, token, host, until=until) == len(ids):
        return begun
    # In this order: the sweeper may turn the one into the other at any moment.
    for late in (TaskState.EXPIRING, TaskState.EXPIRED):
        await begin(ids, token, host, until=until, frm=late)
    tasks = await runtime.store.tasks.get_many(ids)
    for task_id in ids:
        task = tasks.get(task_id)
        if task is None or task.lease != token or task.host != host or task.status not in REPORTED:
            begun.lost.append(task_id)
        else:
            begun.repeated.append(task_id)
    return begun


async def take_in(runtime: Runtime, fresh: Sequence[Result], stored: Iterable[Result] = ()) -> dict[str, Result]:
    """Judge and store fresh results of REPORTING tasks, assess them and those that were `stored` by an earlier
    try, and close the tasks; the results by id. What belongs to a job, variable or flow that is deleted is left out."""
    units = await runtime.part(UnitKinds).read_wanted({result.unit for result in [*fresh, *stored]})
    by_job: dict[str, list[tuple[Result, Unit]]] = defaultdict(list)
    for result in fresh:
        if unit := units.get(result.unit):
            result.job = unit.job
            by_job[unit.job].append((result, unit))
    judged: list[Result] = []
    for job_key, group in by_job.items():
        job = await runtime.store.jobs.by_key(job_key)
        if job is not None:
            await judge_results(runtime, job, group)
        # Its validator may have taken long.
        if job is not None and await runtime.store.jobs.by_key(job_key):
            judged += [result for result, _ in group]
    return await store(runtime, judged, units, [result for result in stored if result.unit in units])


async def judge_results(runtime: Runtime, job: Job, group: Sequence[tuple[Result, Unit]]) -> None:
    """Ask the job's validator about results, and write its word into them."""
    computed = [(result, unit) for result, unit in group if not result.error]
    judgements = await judge(
        runtime,
        job,
        [Reported(unit.value, result.value, result.context or "{}") for result, unit in computed],
    )
    for result, unit in group:
        if result.error:
            result.verdict, result.reason = Verdict.INVALID, f"the computation failed: {result.error}"
        elif unit.finished_at:
            result.verdict = Verdict.TOO_LATE
    for (result, unit), judgement in zip(computed, judgements, strict=True):
        await apply(judgement, result, runtime.part(UnitKinds).of(unit.id))
        if result.digest and decisions.decides_alone(policy_of(job, unit), unit, result):
            # Stored as what it is about to become: it saves writing the verdict again.
            result.verdict = Verdict.CANONICAL


async def apply(judgement: Judgement, result: Result, kind: UnitKind) -> None:
    """Write the validator's word into a result."""
    result.reason = judgement.reason
    if judgement.accepted is False:
        result.verdict = Verdict.INVALID
    elif judgement.accepted:
        result.value = judgement.value
        texts = kind.voted_on(result)
        result.digest = await aside(json_text.digest, *texts, weight=json_text.weight(*texts))


async def store(
    runtime: Runtime, fresh: Sequence[Result], units: Mapping[str, Unit], earlier: Sequence[Result] = ()
) -> dict[str, Result]:
    """Store judged results, and draw their consequences (and those of `earlier` stored ones); the results by id."""
    for result in fresh:
        result.size = json_text.size_of(result.value, result.context, result.error)
    known = await runtime.store.results.insert_many(fresh)
    stored = await runtime.store.results.get_many(known)
    current = [*(stored.get(result.id, result) for result in fresh), *earlier]
    await credit.blame_failures(runtime, [result for result in fresh if result.id not in known])
    # Before the tasks are closed: an earlier try may have added others, and not have lived to say so.
    kinds, tried = runtime.part(UnitKinds), [*stored.values(), *earlier]
    await runtime.part(OpenQueues).wake(kinds.of(each.unit).queue_of(each.job) for each in tried)
    try:
        await settle(runtime, [result for result in current if not result.waits_for_validator], units)
    except Unavailable as problem:
        # The results are taken. Their tasks stay REPORTING, and the sweeper draws the consequences.
        log.warning("what follows from reports has to wait: %s", problem.message)
    return {result.id: result for result in current}


async def settle(runtime: Runtime, results: Sequence[Result], units: Mapping[str, Unit]) -> None:
    """Assess stored results, write the verdicts into them, and close their tasks."""
    if not results:
        return
    touched = {result.unit: units[result.unit] for result in results}
    await decisions.decide(runtime, list(touched.values()), results)
    await runtime.store.tasks.finish_reports([result.id for result in results])
    kinds, queues = runtime.part(UnitKinds), runtime.part(OpenQueues)
    for result in results:
        if result.digest:
            queues.observe(kinds.of(result.unit).queue_of(result.job), result.elapsed_ms)
