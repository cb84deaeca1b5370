"""From results to verdicts: decide units, ask for more replicas, give up.

Everything here is derived from what is stored and safe to repeat: a task stays REPORTING or EXPIRING until its
assessment is through, so that the sweeper can carry on where a process died.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from resolvers.errors import Unavailable
from resolvers.flows import engine
from resolvers.runtime import Runtime, new_seq
from resolvers.units import replicas
from resolvers.units.policies import Policy, policy_of
from resolvers.units.quorum import Agreed, Ballot, GivenUp, disagree, find_agreement, find_shortfall
from resolvers.volunteers import hosts
from sandbox import Function, Threw
from storage.hosts import Host
from storage.jobs import Job
from storage.queues import LaneKind
from storage.results import Result, Verdict
from storage.runs import Run
from storage.tasks import Task, TaskState
from storage.units import Unit, UnitState

OUTSTANDING = frozenset({TaskState.READY, TaskState.HELD, TaskState.LEASED, TaskState.REPORTING})
OPEN_VERDICTS = frozenset({Verdict.PENDING, Verdict.INCONCLUSIVE})
SPOT_CHECK_ONE_IN = 10
COMPARE_PARAMETERS = ("a", "b")


@dataclass(slots=True)
class Case:
    """A unit under assessment."""

    unit: Unit
    job: Job
    policy: Policy
    results: dict[str, Result] = field(default_factory=dict)
    """By number."""
    ballots: list[Ballot] = field(default_factory=list)


async def assess(runtime: Runtime, units: Sequence[Unit], fresh: Sequence[Result]) -> None:
    """Draw the consequences of `fresh` results (and of expired tasks) for `units`, and write the verdicts into
    them.

    What goes wrong with one unit is raised once the others are through: Unavailable, where an owner's code can't be
    run now.
    """
    cases = await _cases(runtime, units)
    for result in fresh:
        cases[result.unit].results[result.number] = result
    quick = [case for case in cases.values() if _decides_alone(case)]
    slow = [case for case in cases.values() if not _decides_alone(case)]
    agreed = {case.unit.id: _sole(case) for case in quick}
    wrong: Unavailable | None = None
    if slow:
        cases = {case.unit.id: case for case in quick}
        slow, wrong = await _with_ballots(runtime, slow)
        cases |= {case.unit.id: case for case in slow}
        agreed |= await _agreements(runtime, slow)
    await _decide(runtime, cases, agreed)
    await _supply(runtime, [case for case in slow if not case.unit.finished_at])
    ended = [case.unit for case in cases.values() if isinstance(case.unit, Run) and case.unit.finished_at]
    if ended:
        await engine.advance(runtime, ended)
    if wrong is not None:
        raise wrong


async def _cases(runtime: Runtime, units: Sequence[Unit]) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for unit in units:
        job = await runtime.store.jobs.by_key(unit.job)
        if job is not None:
            cases[unit.id] = Case(unit, job, policy_of(job, unit))
    return cases


def decides_alone(policy: Policy, unit: Unit, result: Result) -> bool:
    """One valid result is enough: no need to look at others."""
    return policy.quorum == 1 and bool(result.digest) and not result.second_vote and not unit.finished_at


def _decides_alone(case: Case) -> bool:
    return any(decides_alone(case.policy, case.unit, result) for result in case.results.values())


def _sole(case: Case) -> Agreed:
    [number] = [each.number for each in case.results.values() if decides_alone(case.policy, case.unit, each)][:1]
    return Agreed((number,), ())


async def _with_ballots(runtime: Runtime, cases: Sequence[Case]) -> tuple[list[Case], Unavailable | None]:
    """The cases with all their results, but those whose results can't be compared now, and why they can't. The units
    are read anew, after the fresh results were stored: of two reports that come in at once at least one sees both."""
    units = await read_units(runtime, [case.unit.id for case in cases])
    current = [replace(case, unit=units[case.unit.id]) for case in cases]
    ids = {unit.id: [Task.id_of(unit.id, number) for number in numbers_of(unit)] for unit in units.values()}
    stored = await runtime.store.results.get_many(each for group in ids.values() for each in group)
    comparable: list[Case] = []
    wrong: Unavailable | None = None
    for case in current:
        found = [stored[each] for each in ids[case.unit.id] if each in stored]
        case.results = {result.number: result for result in found} | case.results
        try:
            case.ballots = await _compared(runtime, case)
        except Unavailable as problem:
            wrong = problem
        else:
            comparable.append(case)
    return comparable, wrong


def numbers_of(unit: Unit) -> list[str]:
    """The numbers of all results that a unit may have."""
    return [str(number) for number in range(unit.total)] + [f"u{number}" for number in range(unit.unsolicited)]


async def read_units(runtime: Runtime, ids: Iterable[str]) -> dict[str, Unit]:
    """Units of any kind by id."""
    by_kind: dict[LaneKind, list[str]] = defaultdict(list)
    for unit_id in ids:
        by_kind[LaneKind.of(unit_id)].append(unit_id)
    units: dict[str, Unit] = {}
    for kind, wanted in by_kind.items():
        units |= await runtime.store.units(kind).get_many(wanted)
    return units


async def _compared(runtime: Runtime, case: Case) -> list[Ballot]:
    """The votes; where the owner brought `compareResults(a, b)`, it says which of them are equal.

    Raises Unavailable where it can't be asked now.
    """
    voting = [result for result in case.results.values() if _votes(result)]
    voting.sort(key=lambda result: result.seq)
    ballots = [Ballot(result.number, result.host, result.digest) for result in voting]
    valid = [result for result in voting if result.digest]
    if not case.job.compare_results or len(valid) < 2:
        return ballots
    pairs = [(a, b) for at, a in enumerate(valid) for b in valid[at + 1 :]]
    outcomes = await runtime.sandbox.run(
        Function(case.job.compare_results, COMPARE_PARAMETERS),
        [(a.value, b.value) for a, b in pairs],
        owner=case.job.owner or case.job.key,
    )
    alike = {result.number: f"={result.number}" for result in valid}
    for (a, b), outcome in zip(pairs, outcomes, strict=True):
        if isinstance(outcome, Threw) and outcome.kind.is_transient:
            raise Unavailable(f"compare_results can't be asked now: {outcome.message}")
        equal = not isinstance(outcome, Threw) and outcome.json not in ("false", "null", "0", '""')
        if equal and alike[b.number] == f"={b.number}":
            alike[b.number] = alike[a.number]
    return [replace(ballot, digest=alike.get(ballot.number, "")) for ballot in ballots]


def _votes(result: Result) -> bool:
    """Late ones, second ones of a host, and those that still wait for their validator don't."""
    return result.verdict != Verdict.TOO_LATE and not result.second_vote and not result.waits_for_validator


async def _agreements(runtime: Runtime, cases: Sequence[Case]) -> dict[str, Agreed]:
    adaptive = [ballot.host for case in cases if case.policy.adaptive for ballot in case.ballots]
    known = await runtime.store.hosts.get_many(Host.id_of(host) for host in adaptive)
    trusted = {host.key for host in known.values() if hosts.is_trusted(host)}
    agreed: dict[str, Agreed] = {}
    for case in cases:
        believed = () if _spot_checked(case.unit) else trusted
        if not case.unit.finished_at and (found := find_agreement(case.policy, case.ballots, believed)):
            agreed[case.unit.id] = found
    return agreed


def _spot_checked(unit: Unit) -> bool:
    """One unit in ten asks for a second vote of a trusted host too."""
    return int(hashlib.sha256(unit.id.encode()).hexdigest(), 16) % SPOT_CHECK_ONE_IN == 0


async def _decide(runtime: Runtime, cases: Mapping[str, Case], agreed: Mapping[str, Agreed]) -> None:
    """Make agreements the units' own; the verdicts on all results of ended units follow."""
    decided = await _commit(runtime, cases, agreed)
    canonical = [cases[unit_id].results[agreed[unit_id].canonical] for unit_id in decided]
    foreseen = [result for result in canonical if result.verdict == Verdict.CANONICAL]
    changed = await _pronounce(
        runtime, [each for case in cases.values() if case.unit.finished_at for each in _verdicts(case)]
    )
    await _credit(runtime, [*foreseen, *changed])
    # Where a process died before it did, those that carry on do.
    await _cancel(runtime, [case.unit for case in cases.values() if case.unit.finished_at and _has_others(case.unit)])


async def _commit(runtime: Runtime, cases: Mapping[str, Case], agreed: Mapping[str, Agreed]) -> list[str]:
    """Write the agreements into their units, which end by that; the ids of those that this call decided."""
    now, by = runtime.now(), new_seq()
    undecided = list(agreed)
    while undecided:
        groups: dict[tuple[LaneKind, str, int], list[str]] = defaultdict(list)
        for unit_id in undecided:
            groups[LaneKind.of(unit_id), agreed[unit_id].canonical, cases[unit_id].unit.total].append(unit_id)
        undecided = []
        for (kind, canonical, total), ids in groups.items():
            repository = runtime.store.units(kind)
            if await repository.decide(ids, canonical, total=total, by=by, now=now) == len(ids):
                for unit_id in ids:
                    cases[unit_id].unit = replace(
                        cases[unit_id].unit, state=UnitState.DONE, canonical=canonical, decided_by=by, finished_at=now
                    )
                continue
            for unit in (await repository.get_many(ids)).values():
                cases[unit.id].unit = unit
                if not unit.finished_at:  # It has got more tasks.
                    undecided.append(unit.id)
    return [unit_id for unit_id in agreed if cases[unit_id].unit.decided_by == by]


def _verdicts(case: Case) -> list[tuple[Result, Verdict, str]]:
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


async def _pronounce(runtime: Runtime, verdicts: list[tuple[Result, Verdict, str]]) -> list[Result]:
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
                    if result.verdict in OPEN_VERDICTS:
                        verdicts.append((result, verdict, reason))
    return changed


def _has_others(unit: Unit) -> bool:
    """Whether there are tasks besides the one that brought the canonical result."""
    return unit.total > unit.canonical.isdigit()


async def _cancel(runtime: Runtime, units: Sequence[Unit]) -> None:
    """Cancel the tasks of units that nobody has leased; of a flow, which may be paused, those that are held too."""
    if ids := _task_ids(units):
        await runtime.store.tasks.cancel_ready(ids)
    if held := _task_ids([unit for unit in units if LaneKind.of(unit.id) is LaneKind.FLOW]):
        await runtime.store.tasks.cancel_held(held)


def _task_ids(units: Iterable[Unit]) -> list[str]:
    return [Task.id_of(unit.id, number) for unit in units for number in range(unit.total)]


async def _credit(runtime: Runtime, results: Iterable[Result]) -> None:
    valid: dict[str, list[Result]] = defaultdict(list)
    invalid: dict[str, int] = defaultdict(int)
    for result in results:
        if result.verdict in (Verdict.CANONICAL, Verdict.VALID):
            valid[result.host].append(result)
        elif result.verdict == Verdict.INVALID:
            invalid[result.host] += 1
    now = runtime.now()
    for host, group in valid.items():
        elapsed = sum(result.elapsed_ms for result in group)
        await runtime.store.hosts.credit(Host.id_of(host), valid=len(group), elapsed_ms=elapsed, now=now)
    for host, count in invalid.items():
        await runtime.store.hosts.blame(Host.id_of(host), invalid=count, failed=0, now=now)


async def _supply(runtime: Runtime, cases: Sequence[Case]) -> None:
    """See to it that undecided units get the votes they miss, or are given up."""
    if not cases:
        return
    tasks = await runtime.store.tasks.get_many(_task_ids(case.unit for case in cases))
    wanted: dict[str, list[int]] = {}
    verdicts: list[tuple[Result, Verdict, str]] = []
    for case in cases:
        unit = case.unit
        found = {number: tasks.get(Task.id_of(unit.id, number)) for number in range(unit.total)}
        # Their numbers are reserved, and a process is about to store them, or died before it did.
        missing = [number for number, task in found.items() if task is None]
        outstanding = sum(task is None or _outstanding(case, task) for task in found.values())
        shortfall = find_shortfall(case.policy, case.ballots, outstanding=outstanding, total=unit.total)
        if isinstance(shortfall, GivenUp):
            case.unit = await give_up(runtime, unit, shortfall.reason + _last_failure(case))
            verdicts += _verdicts(case)
            continue
        if numbers := [*missing, *range(unit.total, unit.total + shortfall.replicas)]:
            wanted[unit.id] = numbers
        if disagree(case.ballots):
            reason = "results disagree; more votes will decide"
            votes = [result for result in case.results.values() if _votes(result) and result.digest]
            verdicts += [(result, Verdict.INCONCLUSIVE, reason) for result in votes]
    await _pronounce(runtime, verdicts)
    if wanted:
        await replicas.add(runtime, [case.unit for case in cases], wanted)


def _last_failure(case: Case) -> str:
    failed = [result for result in case.results.values() if not result.digest and result.reason]
    return f"; the last one: {max(failed, key=lambda result: result.seq).reason}" if failed else ""


def _outstanding(case: Case, task: Task) -> bool:
    """Whether a task may still bring a vote."""
    result = case.results.get(task.number)
    return task.status in OUTSTANDING and (result is None or result.waits_for_validator)


async def give_up(runtime: Runtime, unit: Unit, reason: str) -> Unit:
    """End a unit as FAILED, and cancel its tasks that nobody holds; the unit as it is now."""
    units = runtime.store.units(LaneKind.of(unit.id))
    await units.give_up(unit.id, UnitState.FAILED, reason, runtime.now())
    # It may have been decided in the meantime, or have got more tasks.
    current = await units.get(unit.id) or unit
    await _cancel(runtime, [current])
    return current
