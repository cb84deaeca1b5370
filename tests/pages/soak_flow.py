"""A flow of 2,000 jobs for many volunteers: nested levels, votes of two, a `while`, an `if`; and what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.pages.hand import submit_flow
from tests.pages.jobs import CREATE_VARIABLES, add_job
from tests.processes import RunningServer
from tests.resolvers.flows.model import Condition, Context, Job, JobEnd, Level, Meaning

MODULUS = 1_000_003
STEPS = 300_000
"""Multiplications in a run of `power`: some ms of computing."""

SOURCES = {
    "power": f"""(variable) => {{
  let power = 1;
  for (let step = 0; step < variable.exponent; step++) power = (power * variable.base) % {MODULUS};
  return {{ result: power }};
}}""",
    "halve": "(variable, context) => ({ result: Math.floor((context.result ?? variable) / 2) })",
    "sum": "(variable, context) => ({ result: Object.values(context).reduce((sum, each) => sum + each, 0) })",
}
VALUES: dict[str, list[Any]] = {
    "power": [{"base": 2 + at, "exponent": STEPS + at} for at in range(100)],
    "halve": list(range(2, 66)),
    "sum": [],
}
ODD = Condition("(variable) => variable.exponent % 2 === 1", lambda variable, _: variable["exponent"] % 2 == 1)
NEVER = Condition("(variable, context) => context.powers < 0", lambda _, context: context["powers"] < 0)
LARGE = Condition("(variable, context) => context.result > 1", lambda _, context: context["result"] > 1)
VOTES = {"quorum": 2}


def flow() -> Level:
    """2,000 jobs, each of which has a name of its own."""
    powers = Level(_jobs("p", 1_000, Job("power")))
    halves = Level(_jobs("h", 300, Job("halve", repeat=LARGE)))
    votes = Level(_jobs("v", 300, Job("power", policy=VOTES)), [halves])
    choices = Level(_jobs("c", 200, Job("power", condition=ODD)), [Level(_jobs("d", 197, Job("power")))])
    root = [Job("sum", alias="total", policy=VOTES), Job("sum", alias="unseen", condition=NEVER)]
    return Level(root, [Level([Job("sum", alias="powers", policy=VOTES)], [powers]), votes, choices])


def _jobs(prefix: str, count: int, like: Job) -> list[Job]:
    values = len(VALUES[like.job])
    return [replace(like, variable=f"n{at % values}", alias=f"{prefix}{at}") for at in range(count)]


def meaning(root: Level) -> tuple[Context | None, dict[str, JobEnd]]:
    """The flow's result, and the end of each job by its name, as the plain interpreter has them."""
    meant = Meaning(_compute, lambda _, job: VALUES[job.job][int(job.variable[1:])] if job.variable else {}, False)
    result = meant.level(root)
    ends = {job.alias or "": meant.jobs[f"{path}jobs[{at}]"] for path, job, at in _all(root)}
    return result, ends


def _all(root: Level) -> list[tuple[str, Job, int]]:
    return [(path, job, at) for path, level in root.walk() for at, job in enumerate(level.jobs)]


def _compute(job: str, variable: Any, context: Context) -> tuple[Any, Context]:
    if job == "power":
        return pow(variable["base"], variable["exponent"], MODULUS), {}
    if job == "halve":
        return context.get("result", variable) // 2, {}
    return sum(context.values()), {}


def submit(server: RunningServer, root: Level) -> str:
    """The key of the flow, submitted with all that it needs."""
    for job, values in VALUES.items():
        add_job(server, job, SOURCES[job])
        if values:
            given = [{"id": f"n{at}", "value": value} for at, value in enumerate(values)]
            made = server.ask(CREATE_VARIABLES, input={"job": job, "variables": given})["createVariables"]
            assert not made["userErrors"], made
    return submit_flow(server, name="soak", owner="ada", **_input(root))


def _input(level: Level) -> dict[str, Any]:
    return {"jobs": [_job(each) for each in level.jobs], "dependent": [_input(each) for each in level.dependent]}


def _job(job: Job) -> dict[str, Any]:
    return {
        "job": job.job,
        "variable": job.variable,
        "as": job.alias,
        "if": job.condition and job.condition.source,
        "while": job.repeat and job.repeat.source,
        "policy": job.policy,
    }
