"""Units under assessment, with their results and votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from resolvers.errors import Unavailable
from resolvers.runtime import Runtime
from resolvers.units import comparisons
from resolvers.units.kinds import UnitKinds
from resolvers.units.policies import Policy, policy_of
from resolvers.units.quorum import Ballot
from storage import Job, Result, Task, Unit, Verdict


@dataclass(slots=True)
class Case:
    """A unit under assessment."""

    unit: Unit
    job: Job
    policy: Policy
    results: dict[str, Result] = field(default_factory=dict)
    """By number."""
    ballots: list[Ballot] = field(default_factory=list)


async def open_cases(runtime: Runtime, units: Sequence[Unit]) -> dict[str, Case]:
    """The cases of units by id, without their results."""
    cases: dict[str, Case] = {}
    for unit in units:
        job = await runtime.store.jobs.by_key(unit.job)
        if job is not None:
            cases[unit.id] = Case(unit, job, policy_of(job, unit))
    return cases


async def collect_ballots(runtime: Runtime, cases: Sequence[Case]) -> tuple[list[Case], Unavailable | None]:
    """The cases with all their results, except those whose results can't be compared now, and why they can't. The units
    are read anew, after the fresh results were stored: of two reports that come in at once at least one sees both."""
    units = await runtime.part(UnitKinds).read(case.unit.id for case in cases)
    current = [replace(case, unit=units[case.unit.id]) for case in cases if case.unit.id in units]
    ids = {unit.id: [Task.id_of(unit.id, number) for number in unit.numbers] for unit in units.values()}
    stored = await runtime.store.results.get_many(each for group in ids.values() for each in group)
    comparable: list[Case] = []
    wrong: Unavailable | None = None
    for case in current:
        found = [stored[each] for each in ids[case.unit.id] if each in stored]
        case.results = {result.number: result for result in found} | case.results
        try:
            case.ballots = await _ballots(runtime, case)
        except Unavailable as problem:
            wrong = problem
        else:
            comparable.append(case)
    return comparable, wrong


def votes(result: Result) -> bool:
    """Whether a result has a vote: not if it came late, is a second one of its host, or waits for its validator."""
    return result.verdict != Verdict.TOO_LATE and not result.second_vote and not result.waits_for_validator


async def _ballots(runtime: Runtime, case: Case) -> list[Ballot]:
    """The votes; where the owner brought `compareResults(a, b)`, it says which of them are equal.

    Raises Unavailable where it can't be asked now.
    """
    voting = [result for result in case.results.values() if votes(result)]
    voting.sort(key=lambda result: result.seq)
    # Of a host that is deleted only its votes are known, and that each host has one.
    ballots = [Ballot(result.number, result.host or result.id, result.digest) for result in voting]
    valid = [result for result in voting if result.digest]
    if not case.job.compare_results or len(valid) < 2:
        return ballots
    first = await comparisons.classes(runtime, case.job, valid)
    return [replace(each, digest=f"={first[each.number]}" if each.number in first else "") for each in ballots]
