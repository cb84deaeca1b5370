"""Taking results in: from a lease, or unasked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers import assessment, jobs, json_text, variables
from resolvers.errors import BadInput, LeaseLost, PoolError, Rejected, Unavailable
from resolvers.identifiers import check_lease
from resolvers.json_text import JsonText
from resolvers.judgement import Judgement, Reported, judge
from resolvers.policies import policy_of
from resolvers.runtime import Runtime, new_seq
from storage.documents import Assignment, Host, Job, Lane, LaneKind, Result, Task, TaskState, Unit, Verdict

MOST_AT_ONCE = 100
MAX_ERROR_CHARACTERS = 500
MAX_ELAPSED_MS = 30 * 24 * 3600 * 1000
TAKEOVER_MS = 30_000
NULL = JsonText("null")


@dataclass(frozen=True, slots=True)
class Report:
    """What a host says of one task: a value with the returned context, or the error its function threw."""

    task: str
    token: str
    value: Any = NULL
    context: Any = None
    error: str = ""
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stored result of a report, or why it was turned away."""

    result: Result | None
    problem: PoolError | None = None


async def submit(runtime: Runtime, host: str, reports: Sequence[Report]) -> list[Receipt]:
    """Store what a host computed; one receipt for each report, in order.

    Repeating a report changes nothing and answers the same. One that can't be taken (a bad value, a lost lease)
    says so in its place and leaves the others alone. A lease that ran out is taken all the same while nobody
    decided its unit. Raises BadInput for too many reports.
    """
    if not 1 <= len(reports) <= MOST_AT_ONCE:
        raise BadInput(f"results takes 1 to {MOST_AT_ONCE} at once, got {len(reports)}", field="results")
    problems: dict[str, PoolError] = {}
    results: dict[str, Result] = {}
    by_token: dict[str, list[Result]] = defaultdict(list)
    for at, report in enumerate(reports):
        try:
            results[report.task] = made = _result(runtime, host, report, f"results[{at}]")
            by_token[report.token].append(made)
        except PoolError as problem:
            problems[report.task] = problem
    for token, group in by_token.items():
        problems |= await _begin(runtime, host, token, group)
    stored = await take_in(runtime, [each for each in results.values() if each.id not in problems])
    return [Receipt(stored.get(report.task), problems.get(report.task)) for report in reports]


def _result(runtime: Runtime, host: str, report: Report, field: str) -> Result:
    check_lease(report.task, report.token, field=f"{field}.task")
    unit, number = Task.split(report.task)
    if not 0 <= report.elapsed_ms <= MAX_ELAPSED_MS:
        raise BadInput(
            f"elapsedMs takes 0 to {MAX_ELAPSED_MS} milliseconds, got {report.elapsed_ms}",
            field=f"{field}.elapsedMs",
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
    if report.error:
        result.error = report.error[:MAX_ERROR_CHARACTERS]
    else:
        result.value = json_text.checked(report.value, field=f"{field}.value")
        result.context = checked_context(report.context, f"{field}.context")
    return result


def checked_context(value: Any, field: str) -> str:
    """A context as JSON text, `{}` where there is none. Raises BadInput for anything but an object."""
    if value is None:
        return "{}"
    text = json_text.checked(value, field=field)
    if not text.lstrip().startswith("{"):
        raise BadInput(f"{field} takes an object, got {text[:50]}", field=field)
    return text


async def _begin(runtime: Runtime, host: str, token: str, results: Sequence[Result]) -> dict[str, PoolError]:
    """Turn the leases of one token into reports under way; the problems, by task, of those that can't be."""
    until = runtime.now() + TAKEOVER_MS
    ids = [result.id for result in results]
    begin = runtime.store.tasks.begin_report
    if await begin(ids, token, host, until=until) == len(ids):
        return {}
    tasks = await runtime.store.tasks.get_many(ids)
    problems: dict[str, PoolError] = {}
    for task_id in ids:
        task = tasks.get(task_id)
        ours = task is not None and task.lease == token and task.host == host
        if task is None or not ours or task.status in (TaskState.READY, TaskState.CANCELLED):
            problems[task_id] = LeaseLost(f"the task {task_id} is not leased to this host by this token", field="lease")
        elif task.status in (TaskState.EXPIRED, TaskState.EXPIRING):
            await begin([task_id], token, host, until=until, frm=TaskState(task.status))
    return problems


async def take_in(runtime: Runtime, results: Sequence[Result]) -> dict[str, Result]:
    """Judge, store and assess results of REPORTING tasks, and close the tasks; the stored results by id.

    Safe to repeat: what is stored already is not judged again.
    """
    if not results:
        return {}
    units = await assessment.read_units(runtime, {result.unit for result in results})
    cases = [(result, units[result.unit]) for result in results if result.unit in units]
    by_job: dict[str, list[tuple[Result, Unit]]] = defaultdict(list)
    for result, unit in cases:
        result.job = unit.job
        by_job[unit.job].append((result, unit))
    for job_key, group in by_job.items():
        await judge_results(runtime, await jobs.get(runtime, job_key), group)
    return await _store(runtime, [result for result, _ in cases], units)


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
        _apply(judgement, result, unit)
        if result.digest and assessment.decides_alone(policy_of(job, unit), unit, result):
            # Stored as what it is about to become: it saves writing the verdict again.
            result.verdict = Verdict.CANONICAL


def _apply(judgement: Judgement, result: Result, unit: Unit) -> None:
    result.reason = judgement.reason
    if judgement.accepted is False:
        result.verdict = Verdict.INVALID
    elif judgement.accepted:
        result.value = judgement.value
        agreed_on = [result.value, result.context] if LaneKind.of(unit.id) is LaneKind.FLOW else [result.value]
        result.digest = json_text.digest(*agreed_on)


async def _store(runtime: Runtime, results: Sequence[Result], units: Mapping[str, Unit]) -> dict[str, Result]:
    known = await runtime.store.results.insert_many(results)
    stored = await runtime.store.results.get_many(known)
    current = [stored.get(result.id, result) for result in results]
    await _blame_failures(runtime, [result for result in current if result.id not in known])
    settled = await settle(runtime, [result for result in current if not waits_for_validator(result)], units)
    return {result.id: result for result in [*current, *settled]}


def waits_for_validator(result: Result) -> bool:
    """Stored while `validate_result` could not be asked: its task stays REPORTING until the sweeper asks again."""
    return result.verdict == Verdict.PENDING and not result.digest


async def settle(runtime: Runtime, results: Sequence[Result], units: Mapping[str, Unit]) -> list[Result]:
    """Assess stored results and close their tasks; the results with their verdicts."""
    touched = {result.unit: units[result.unit] for result in results}
    assessed = await assessment.assess(runtime, list(touched.values()), results)
    await runtime.store.tasks.finish([result.id for result in results], TaskState.REPORTING, TaskState.REPORTED)
    await _observe(runtime, results)
    return assessed


async def _blame_failures(runtime: Runtime, results: Sequence[Result]) -> None:
    failed: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.verdict == Verdict.INVALID:
            failed[result.host].append(result)
    for host, group in failed.items():
        errors = sum(bool(result.error) for result in group)
        await runtime.store.hosts.blame(Host.id_of(host), invalid=len(group) - errors, failed=errors, now=runtime.now())


async def _observe(runtime: Runtime, results: Sequence[Result]) -> None:
    slowest = {Lane.id_of(each.job, LaneKind.of(each.unit)): each.elapsed_ms for each in results if each.digest}
    for lane, elapsed_ms in slowest.items():
        await runtime.lanes.observe(lane, elapsed_ms)


async def submit_unsolicited(
    runtime: Runtime, job_key: str, variable_key: str, host: str, *, value: Any, context: Any = None
) -> Result:
    """Take a result for a variable that was never leased to this host, as clients of the original pool send it.

    It goes through the same validation and quorum and leaves other hosts' leases alone. One that the job's
    validator turns down is not stored: nobody should be able to spend a variable's errors unasked.
    Raises NotFound, BadInput, TooLarge, Rejected, Unavailable.
    """
    job = await jobs.get(runtime, job_key)
    unit: Unit = await variables.get(runtime, job_key, variable_key)
    checked = json_text.checked(value, field="value")
    returned = checked_context(context, "context")
    [judgement] = await judge(runtime, job, [Reported(unit.value, checked, returned)])
    if judgement.accepted is None:
        raise Unavailable(f"validate_result can't be asked now: {judgement.reason}", field="value")
    if not judgement.accepted:
        raise Rejected(f"the job's validate_result turned this result down: {judgement.reason}", field="value")
    number = f"u{await runtime.store.units(LaneKind.of(unit.id)).expect_unsolicited(unit.id)}"
    task = _unsolicited_task(runtime, job, unit, number, host)
    assignment = Assignment(id=Assignment.id_of(unit.id, host), task=task.id, lease=task.lease)
    first = await runtime.store.assignments.insert(assignment)
    await runtime.store.tasks.insert(task)
    result = Result(
        id=task.id,
        unit=unit.id,
        job=job.key,
        number=number,
        host=host,
        seq=new_seq(),
        value=judgement.value,
        context=returned,
        unsolicited=True,
        created_at=runtime.now(),
    )
    _apply(judgement, result, unit)
    _place(result, unit, decides=first and policy_of(job, unit).quorum == 1)
    if not first:
        result.second_vote = True
        result.verdict, result.reason = (
            Verdict.INCONCLUSIVE,
            "this host has a replica of this variable already",
        )
    return (await _store(runtime, [result], {unit.id: unit}))[result.id]


def _place(result: Result, unit: Unit, *, decides: bool) -> None:
    if unit.finished_at:
        result.verdict = Verdict.TOO_LATE
    elif decides:
        result.verdict = Verdict.CANONICAL


def _unsolicited_task(runtime: Runtime, job: Job, unit: Unit, number: str, host: str) -> Task:
    now = runtime.now()
    return Task(
        id=Task.id_of(unit.id, number),
        unit=unit.id,
        job=job.key,
        lane=Lane.id_of(job.key, LaneKind.of(unit.id)),
        number=number,
        seq=new_seq(),
        rand=runtime.random.random(),
        status=TaskState.REPORTING,
        host=host,
        lease=new_seq(),
        attempt=1,
        leased_at=now,
        until=now + TAKEOVER_MS,
        created_at=now,
    )
