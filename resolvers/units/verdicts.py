"""Verdicts on the results of units that have ended, or whose votes disagree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from resolvers.runtime import Runtime, new_seq
from resolvers.units.cases import Case
from storage import Result, Verdict

OPEN = frozenset({Verdict.PENDING, Verdict.INCONCLUSIVE})


def verdicts_of(case: Case) -> list[tuple[Result, Verdict, str]]:
    """The verdicts on the results of a unit that has ended."""
    return [(each, *_verdict(case, each)) for each in case.results.values() if not each.waits_for_validator]


def _verdict(case: Case, result: Result) -> tuple[Verdict, str]:
    unit = case.unit
    if result.number == unit.canonical:
        return Verdict.CANONICAL, result.reason
    if result.verdict not in (Verdict.PENDING, Verdict.INCONCLUSIVE, Verdict.CANONICAL) or result.second_vote:
        return Verdict(result.verdict), result.reason
    digests = {ballot.number: ballot.digest for ballot in case.ballots}
    if result.created_at > unit.finished_at or (unit.canonical and unit.canonical not in digests):
        return Verdict.TOO_LATE, "the unit was decided before this result came"
    if not unit.canonical:
        return Verdict.INCONCLUSIVE, unit.reason
    if digests.get(result.number) == digests[unit.canonical]:
        return Verdict.VALID, result.reason
    return Verdict.INVALID, "outvoted by the canonical result"


async def pronounce(runtime: Runtime, verdicts: list[tuple[Result, Verdict, str]]) -> list[Result]:
    """Store the verdicts that are new; the results that got them by this call, and by no other process that came
    to the same ones at the same time."""
    by = new_seq()
    changed: list[Result] = []
    while verdicts:
        groups: dict[tuple[Verdict, Verdict, str], list[Result]] = defaultdict(list)
        for result, verdict, reason in verdicts:
            if (result.verdict, result.reason) != (verdict, reason):
                groups[Verdict(result.verdict), verdict, reason].append(result)
        verdicts = []
        for (frm, verdict, reason), results in groups.items():
            ids = [result.id for result in results]
            current: Mapping[str, Result] = {}
            if await runtime.store.results.judge(ids, frm, verdict, reason=reason, by=by) < len(ids):
                current = await runtime.store.results.get_many(ids)
            for result in results:
                if result.id not in current or current[result.id].judged_by == by:
                    result.verdict, result.reason = verdict, reason
                    changed.append(result)
                else:
                    result.verdict, result.reason = current[result.id].verdict, current[result.id].reason
                    if result.verdict in OPEN:
                        verdicts.append((result, verdict, reason))
    return changed
