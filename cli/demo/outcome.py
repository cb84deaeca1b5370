"""What the demo came to, read back from the pool and checked."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any

from cli.demo.expected import EXPECTED
from cli.demo.flow import FlowOutcome
from cli.demo.state import State
from comp_pool import PoolClient
from comp_pool.schema import Verdict

VARIABLES = """query Variables($job: String!, $after: String) { job(key: $job) {
  variables(first: 50, after: $after) {
    nodes { value canonicalResult { value } results(first: 10) { nodes { verdict host { key } } } }
    pageInfo { hasNextPage endCursor }
  }
} }"""
AGREED = frozenset({Verdict.CANONICAL, Verdict.VALID})


@dataclass(slots=True)
class JobOutcome:
    """How many of a job's variables have a canonical result, and how many the right one."""

    key: str
    name: str
    quorum: int
    variables: int = 0
    decided: int = 0
    correct: int = 0
    results: int = 0


@dataclass(slots=True)
class VolunteerOutcome:
    """How a volunteer's results fared, by verdict."""

    name: str
    cheats: bool
    host: str
    verdicts: dict[str, int] = field(default_factory=dict)

    @property
    def agreed(self) -> int:
        return sum(self.verdicts.get(verdict, 0) for verdict in AGREED)

    @property
    def refused(self) -> int:
        """Results that were outvoted or turned down."""
        return self.verdicts.get(Verdict.INVALID, 0)


@dataclass(slots=True)
class Outcome:
    """The end of the demo."""

    jobs: list[JobOutcome]
    volunteers: list[VolunteerOutcome]
    flow: FlowOutcome
    pi: float
    seconds: float

    @property
    def is_right(self) -> bool:
        """All results are right, no honest volunteer was doubted, and the cheat got nothing through."""
        honest = all(
            (each.refused > 0 and each.agreed == 0) if each.cheats else each.refused == 0 for each in self.volunteers
        )
        return honest and self.flow.is_right and all(job.decided == job.correct == job.variables for job in self.jobs)

    def dump(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {"right": self.is_right, **asdict(self)}


async def read_outcome(
    client: PoolClient, jobs: list[JobOutcome], volunteers: list[VolunteerOutcome], flow: FlowOutcome, state: State
) -> Outcome:
    """Read all results of the jobs, and check the canonical ones against this Python's own."""
    by_host = {each.host: each for each in volunteers}
    inside = samples = 0
    for job in jobs:
        for variable in await _variables(client, job.key):
            canonical = variable["canonicalResult"]
            job.variables += 1
            if canonical is not None:
                job.decided += 1
                right = await asyncio.to_thread(EXPECTED[job.key], variable["value"])
                job.correct += canonical["value"] == right
            if canonical is not None and job.key == "monte-carlo-pi":
                inside += canonical["value"]["inside"]
                samples += variable["value"]["samples"]
            for result in variable["results"]["nodes"]:
                job.results += 1
                fared = by_host[result["host"]["key"]].verdicts
                fared[result["verdict"]] = fared.get(result["verdict"], 0) + 1
    return Outcome(jobs, volunteers, flow, 4 * inside / max(samples, 1), state.seconds)


async def _variables(client: PoolClient, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page = (await client.call(VARIABLES, job=job, after=after))["job"]["variables"]
        found += page["nodes"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found
