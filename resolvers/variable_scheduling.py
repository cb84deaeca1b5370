"""The owner's `variable_scheduler(context)`: which variable of a job goes out next."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import orjson

from resolvers import json_text
from resolvers.runtime import Runtime
from sandbox import Function, Outcome, Threw
from storage.documents import Job, Task, TaskState, Variable

log = logging.getLogger(__name__)

PARAMETERS = ("context",)
MOST_SHOWN = 1_000
READY = {TaskState.READY}
LEASED = {TaskState.LEASED}
DONE = {TaskState.REPORTING, TaskState.REPORTED}


async def choose(runtime: Runtime, job: Job, *, host: str, ready_only: bool = False) -> Variable | None:
    """The variable that the job's scheduler chooses among at most 1,000 that want work.

    None where it chooses none, throws, or names one it was not shown: the caller falls back to random, and the
    job says why in `scheduler_problem`.
    """
    variables = await runtime.store.variables.wanted(
        job.key, origin=runtime.random.random(), last=None, limit=MOST_SHOWN
    )
    shown = await _described(runtime, variables)
    if ready_only:
        shown = [each for each in shown if each["ready"]]
    if not shown:
        return None
    context = orjson.dumps({"variables": shown, "host": host, "job": job.key}).decode()
    [outcome] = await runtime.sandbox.run(
        Function(job.variable_scheduler, PARAMETERS), [(context,)], owner=job.owner or job.key
    )
    chosen = _chosen(outcome)
    known = {each["id"] for each in shown}
    problem = "" if chosen in known else _problem(outcome)
    await _note(runtime, job, problem)
    return next((variable for variable in variables if variable.key == chosen), None) if not problem else None


async def _described(runtime: Runtime, variables: Sequence[Variable]) -> list[dict[str, str | int]]:
    ids = [Task.id_of(each.id, number) for each in variables for number in range(each.total)]
    statuses: dict[str, Counter[str]] = {each.id: Counter() for each in variables}
    for task in (await runtime.store.tasks.get_many(ids)).values():
        statuses[task.unit][task.status] += 1
    return [
        {
            "id": each.key,
            "ready": sum(statuses[each.id][status] for status in READY),
            "leased": sum(statuses[each.id][status] for status in LEASED),
            "done": sum(statuses[each.id][status] for status in DONE),
            "createdAt": each.created_at,
        }
        for each in variables
    ]


def _chosen(outcome: Outcome) -> str | None:
    if isinstance(outcome, Threw):
        return None
    answer = json_text.parse(outcome.json)
    return answer if isinstance(answer, str) else None


def _problem(outcome: Outcome) -> str:
    if isinstance(outcome, Threw):
        return f"variable_scheduler: {outcome.message}"
    return f"variable_scheduler answered {outcome.json[:100]}, which is no id of `context.variables`"


async def _note(runtime: Runtime, job: Job, problem: str) -> None:
    if problem:
        log.warning("job %s: %s; a variable is chosen at random", job.key, problem)
    if problem != job.scheduler_problem:
        await runtime.store.jobs.set(job.id, {"scheduler_problem": problem})
