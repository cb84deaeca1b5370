"""The owner's `variable_scheduler(context)`: which variable of a job goes out next."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from resolvers import functions, json_text
from resolvers.access.review import is_approved
from resolvers.runtime import Runtime
from resolvers.units import assignments
from sandbox import Outcome, Threw
from storage import Job, Task, TaskState, Variable

log = logging.getLogger(__name__)

MOST_SHOWN = 1_000
READY = {TaskState.READY}
LEASED = {TaskState.LEASED}
DONE = {TaskState.REPORTING, TaskState.REPORTED}


async def choose(runtime: Runtime, job: Job, *, host: str) -> Variable | None:
    """The variable that the job's scheduler chooses among at most 1,000 that want work.

    None where it chooses none, throws, or names one it was not shown: the caller falls back to random, and the
    job says why in `scheduler_problem`. None as well for a job that is not approved.
    """
    if not is_approved(job):
        return None
    wanted = await _wanted(runtime, job)
    chosen = await _ask(runtime, job, host, wanted)
    return next((each.variable for each in wanted if each.variable.key == chosen), None)


async def choose_task(runtime: Runtime, job: Job, *, host: str) -> Task | None:
    """A ready task of the variable that the scheduler chooses among those of which the host has no replica; None
    as above."""
    wanted = await _wanted(runtime, job)
    ready = [task for each in wanted for task in each.tasks if task.status in READY]
    free = await assignments.unheld(runtime, host, ready)
    chosen = await _ask(runtime, job, host, [each for each in wanted if each.variable.id in free])
    return None if chosen is None else free[Variable.id_of(job.key, chosen)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variable that wants work, with its tasks."""

    variable: Variable
    tasks: list[Task]

    def described(self) -> dict[str, str | int]:
        statuses = Counter(task.status for task in self.tasks)
        return {
            "id": self.variable.key,
            "ready": sum(statuses[status] for status in READY),
            "leased": sum(statuses[status] for status in LEASED),
            "done": sum(statuses[status] for status in DONE),
            "createdAt": self.variable.created_at,
        }


async def _wanted(runtime: Runtime, job: Job) -> list[Wanted]:
    variables = await runtime.store.variables.wanted(
        job.key, origin=runtime.random.random(), last=None, limit=MOST_SHOWN
    )
    ids = {each.id: [Task.id_of(each.id, number) for number in range(each.total)] for each in variables}
    tasks = await runtime.store.tasks.get_many(task for group in ids.values() for task in group)
    return [Wanted(each, [tasks[task] for task in ids[each.id] if task in tasks]) for each in variables]


async def _ask(runtime: Runtime, job: Job, host: str, shown: Sequence[Wanted]) -> str | None:
    """The id that the scheduler answers, if it is one of those shown."""
    if not shown:
        return None
    context = {"variables": [each.described() for each in shown], "host": host, "job": job.key}
    [outcome] = await functions.call(runtime, job, "variable_scheduler", [(orjson.dumps(context).decode(),)])
    chosen = _chosen(outcome)
    known = {each.variable.key for each in shown}
    await _note(runtime, job, "" if chosen in known else _problem(outcome))
    return chosen if chosen in known else None


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
        log.warning("job %s: %s; a variable is chosen at random", job.key, problem, extra={"job": job.key})
    if problem != job.scheduler_problem:
        await runtime.store.jobs.set(job.id, {"scheduler_problem": problem})
