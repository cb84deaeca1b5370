"""Results that come unasked for, as clients of the original pool send them."""

from __future__ import annotations

from functools import partial
from typing import Any

from resolvers import json_text
from resolvers.access.principals import EVERYBODY, Principal
from resolvers.errors import Conflict, Rejected, Unavailable
from resolvers.idempotency import Repeatable, once
from resolvers.owners import jobs, variables
from resolvers.owners.quotas import Quotas, Usage
from resolvers.owners.validators import Judgement, Reported, judge
from resolvers.runtime import Runtime, new_seq
from resolvers.space import Space
from resolvers.turns import aside
from resolvers.units import assignments
from resolvers.units.kinds import UnitKinds
from resolvers.units.policies import policy_of
from resolvers.units.results import stored
from resolvers.volunteers import reports
from storage import Job, Result, Task, TaskState, Unit, Variable, Verdict

MOST_A_VARIABLE = 1_000
"""All of a variable's results are read whenever another one comes."""


async def submit(
    runtime: Runtime,
    job_key: str,
    variable_key: str,
    host: str,
    *,
    value: Any,
    context: Any = None,
    idempotency_key: str = "",
    principal: Principal = EVERYBODY,
) -> Result:
    """Take a result for a variable that was never leased to this host, as clients of the original pool send it. Of a
    private job it must have been handed out under this key, unless the principal may read it.

    It goes through the same validation and quorum and leaves other hosts' leases alone. A result that the job's
    validator turns down is not stored: nobody should be able to spend a variable's errors unasked.
    Raises NotFound, BadInput, TooLarge, Rejected, QuotaExceeded (of the job's owner), Unavailable, Conflict for a
    variable that got too many, and what `once` raises.
    """
    runtime.part(Space).check_for_results()
    checked = await aside(partial(json_text.checked, value, field="value"), weight=json_text.weight(value))
    returned = reports.checked_context(context, "context")

    def meaning() -> list[Any]:
        return [json_text.parse(checked), json_text.parse(returned)]

    weight = json_text.weight(checked, returned)
    request = Repeatable(f"result {job_key} {variable_key}", idempotency_key, meaning, weight)

    async def carry_out() -> str:
        job = await jobs.get(runtime, job_key)
        variable = await variables.get(runtime, job_key, variable_key, principal)
        return (await _take(runtime, job, variable, host, checked, returned)).id

    return await stored(runtime, await once(runtime, request, carry_out, about=Job.id_of(job_key)))


async def _take(runtime: Runtime, job: Job, variable: Variable, host: str, value: str, context: str) -> Result:
    if variable.unsolicited >= MOST_A_VARIABLE:
        raise Conflict(
            f"the variable {variable.key} got {MOST_A_VARIABLE} results unasked, and takes no more; claim its tasks",
            field="variable",
        )
    await runtime.part(Quotas).take(job.account, Usage(json_text.size_of(value, context)))
    [judgement] = await judge(runtime, job, [Reported(variable.value, value, context)])
    if judgement.accepted is None:
        message = f"validate_result can't be asked now: {judgement.reason}"
        raise Unavailable(message, field="value", retry_after_s=judgement.retry_after_s)
    if not judgement.accepted:
        raise Rejected(f"the job's validate_result turned this result down: {judgement.reason}", field="value")
    # The same computation serves a flow that waits for it with an empty context.
    for run in await runtime.store.runs.bare(job.key, variable=variable.key):
        await _store(runtime, job, run, host, judgement, context)
    return await _store(runtime, job, variable, host, judgement, context)


async def _store(runtime: Runtime, job: Job, unit: Unit, host: str, judgement: Judgement, context: str) -> Result:
    kind = runtime.part(UnitKinds).of(unit.id)
    number = f"u{await kind.units(runtime).expect_unsolicited(unit.id)}"
    task = _task(runtime, unit, kind.queue_of(job.key), number, host)
    first = bool(await assignments.assign(runtime, host, task.lease, [task]))
    await runtime.store.tasks.insert(task)
    result = Result(
        id=task.id,
        unit=unit.id,
        job=job.key,
        number=number,
        host=host,
        seq=new_seq(),
        value=judgement.value,
        context=context,
        unsolicited=True,
        created_at=runtime.now(),
    )
    await reports.apply(judgement, result, kind)
    _place(result, unit, decides=first and policy_of(job, unit).quorum == 1)
    if not first:
        result.second_vote = True
        result.verdict, result.reason = Verdict.INCONCLUSIVE, "this host has a replica of this variable already"
    return (await reports.store(runtime, [result], {unit.id: unit}))[result.id]


def _place(result: Result, unit: Unit, *, decides: bool) -> None:
    if unit.finished_at:
        result.verdict = Verdict.TOO_LATE
    elif decides:
        result.verdict = Verdict.CANONICAL


def _task(runtime: Runtime, unit: Unit, queue: str, number: str, host: str) -> Task:
    now = runtime.now()
    return Task(
        id=Task.id_of(unit.id, number),
        unit=unit.id,
        job=unit.job,
        queue=queue,
        flow=unit.flow,
        number=number,
        seq=new_seq(),
        rand=runtime.random.random(),
        status=TaskState.REPORTING,
        host=host,
        lease=new_seq(),
        attempt=1,
        leased_at=now,
        until=now + runtime.takeover_ms,
        created_at=now,
    )
