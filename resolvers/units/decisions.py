"""From results to decisions: end units, ask for more replicas, or give up (BOINC's transitioner).

Everything here is derived from what is stored and safe to repeat: a task stays REPORTING or EXPIRING until its unit
was looked at, so that the sweeper can carry on where a process died.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from resolvers.runtime import Runtime, new_seq
from resolvers.units import cases, credit, replicas, tasks, verdicts
from resolvers.units.cases import Case
from resolvers.units.kinds import UnitKind, UnitKinds
from resolvers.units.policies import Policy
from resolvers.units.quorum import Agreed, GivenUp, disagree, find_agreement, find_shortfall
from storage import Host, Result, Task, TaskState, Unit, UnitState, Verdict

OUTSTANDING = frozenset({TaskState.READY, TaskState.HELD, TaskState.LEASED, TaskState.REPORTING})
SPOT_CHECK_ONE_IN = 10


async def decide(runtime: Runtime, units: Sequence[Unit], fresh: Sequence[Result]) -> None:
    """Draw the consequences of `fresh` results (and of expired tasks) for `units`, and write the verdicts into
    the results.

    What goes wrong with one unit is raised once the others are through: Unavailable, where an owner's code can't be
    run now.
    """
    opened = await cases.open_cases(runtime, units)
    for result in fresh:
        if result.unit not in opened:
            continue  # Its job is deleted.
        opened[result.unit].results[result.number] = result
    quick = {unit_id: case for unit_id, case in opened.items() if _decides_alone(case)}
    agreed = {unit_id: _sole(case) for unit_id, case in quick.items()}
    slow, wrong = list[Case](), None
    if len(quick) < len(opened):
        slow, wrong = await cases.collect_ballots(runtime, [case for key, case in opened.items() if key not in quick])
        agreed |= await _agreements(runtime, slow)
    ready = quick | {case.unit.id: case for case in slow}
    await _end(runtime, ready, agreed)
    await _supply(runtime, [case for case in slow if not case.unit.finished_at])
    await _hand_on(runtime, [case.unit for case in ready.values() if case.unit.finished_at])
    if wrong is not None:
        raise wrong


def decides_alone(policy: Policy, unit: Unit, result: Result) -> bool:
    """Whether one valid result is enough, so that there is no need to look at others."""
    return policy.quorum == 1 and bool(result.digest) and not result.second_vote and not unit.finished_at


def _decides_alone(case: Case) -> bool:
    return any(decides_alone(case.policy, case.unit, result) for result in case.results.values())


def _sole(case: Case) -> Agreed:
    [number] = [each.number for each in case.results.values() if decides_alone(case.policy, case.unit, each)][:1]
    return Agreed((number,), ())


async def _agreements(runtime: Runtime, compared: Sequence[Case]) -> dict[str, Agreed]:
    adaptive = [ballot.host for case in compared if case.policy.adaptive for ballot in case.ballots]
    known = await runtime.store.hosts.get_many(Host.id_of(host) for host in adaptive)
    trusted = {host.key for host in known.values() if credit.is_trusted(host)}
    agreed: dict[str, Agreed] = {}
    for case in compared:
        believed = () if _spot_checked(case.unit) else trusted
        if not case.unit.finished_at and (found := find_agreement(case.policy, case.ballots, believed)):
            agreed[case.unit.id] = found
    return agreed


def _spot_checked(unit: Unit) -> bool:
    """One unit in ten asks for a second vote of a trusted host too."""
    return int(hashlib.sha256(unit.id.encode()).hexdigest(), 16) % SPOT_CHECK_ONE_IN == 0


async def _end(runtime: Runtime, ready: Mapping[str, Case], agreed: Mapping[str, Agreed]) -> None:
    """Make agreements the units' own; the verdicts on all results of ended units follow."""
    decided = await _commit(runtime, ready, agreed)
    canonical = [ready[unit_id].results[agreed[unit_id].canonical] for unit_id in decided]
    foreseen = [result for result in canonical if result.verdict == Verdict.CANONICAL]
    ended = [case for case in ready.values() if case.unit.finished_at]
    changed = await verdicts.pronounce(runtime, [each for case in ended for each in verdicts.verdicts_of(case)])
    await credit.credit(runtime, [*foreseen, *changed])
    # Where a process died before it did, those that carry on do.
    await _cancel(runtime, [case.unit for case in ended if _has_others(case.unit)])


async def _commit(runtime: Runtime, ready: Mapping[str, Case], agreed: Mapping[str, Agreed]) -> list[str]:
    """Write the agreements into their units, which end by that; the ids of those that this call decided."""
    now, by = runtime.now(), new_seq()
    kinds, undecided = runtime.part(UnitKinds), list(agreed)
    while undecided:
        groups: dict[tuple[UnitKind, str, int], list[str]] = defaultdict(list)
        for unit_id in undecided:
            groups[kinds.of(unit_id), agreed[unit_id].canonical, ready[unit_id].unit.total].append(unit_id)
        undecided = []
        for (kind, canonical, total), ids in groups.items():
            repository = kind.units(runtime)
            if await repository.decide(ids, canonical, total=total, by=by, now=now) == len(ids):
                for unit_id in ids:
                    ready[unit_id].unit = replace(
                        ready[unit_id].unit, state=UnitState.DONE, canonical=canonical, decided_by=by, finished_at=now
                    )
                continue
            for unit in (await repository.get_many(ids)).values():
                ready[unit.id].unit = unit
                if not unit.finished_at:  # It has got more tasks.
                    undecided.append(unit.id)
    return [unit_id for unit_id in agreed if ready[unit_id].unit.decided_by == by]


def _has_others(unit: Unit) -> bool:
    """Whether there are tasks besides the task that brought the canonical result."""
    return unit.total > unit.canonical.isdigit()


async def _cancel(runtime: Runtime, units: Sequence[Unit]) -> None:
    """Cancel the tasks of units that nobody has leased."""
    for kind, ids in runtime.part(UnitKinds).grouped(tasks.ids_of(units)).items():
        await kind.cancel(runtime, ids)


async def _hand_on(runtime: Runtime, ended: Sequence[Unit]) -> None:
    """Have what the units were computed for go on."""
    by_id = {unit.id: unit for unit in ended}
    for kind, ids in runtime.part(UnitKinds).grouped(by_id).items():
        await kind.ended(runtime, [by_id[each] for each in ids])


async def _supply(runtime: Runtime, undecided: Sequence[Case]) -> None:
    """See to it that undecided units get the votes they miss, or are given up."""
    if not undecided:
        return
    stored = await runtime.store.tasks.get_many(tasks.ids_of(case.unit for case in undecided))
    wanted: dict[str, list[int]] = {}
    pronounced: list[tuple[Result, Verdict, str]] = []
    for case in undecided:
        unit = case.unit
        found = {number: stored.get(Task.id_of(unit.id, number)) for number in range(unit.total)}
        # Their numbers are reserved, and a process is about to store them, or died before it did.
        missing = [number for number, task in found.items() if task is None]
        outstanding = sum(task is None or _outstanding(case, task) for task in found.values())
        shortfall = find_shortfall(case.policy, case.ballots, outstanding=outstanding, total=unit.total)
        if isinstance(shortfall, GivenUp):
            case.unit = await give_up(runtime, unit, shortfall.reason + _last_failure(case))
            pronounced += verdicts.verdicts_of(case)
            continue
        if numbers := [*missing, *range(unit.total, unit.total + shortfall.replicas)]:
            wanted[unit.id] = numbers
        if disagree(case.ballots):
            reason = "results disagree; more votes will decide"
            votes = [result for result in case.results.values() if cases.votes(result) and result.digest]
            pronounced += [(result, Verdict.INCONCLUSIVE, reason) for result in votes]
    await verdicts.pronounce(runtime, pronounced)
    if wanted:
        await replicas.add(runtime, [case.unit for case in undecided], wanted)


def _last_failure(case: Case) -> str:
    failed = [result for result in case.results.values() if not result.digest and result.reason]
    return f"; the last one: {max(failed, key=lambda result: result.seq).reason}" if failed else ""


def _outstanding(case: Case, task: Task) -> bool:
    """Whether a task may still bring a vote."""
    result = case.results.get(task.number)
    return task.status in OUTSTANDING and (result is None or result.waits_for_validator)


async def give_up(runtime: Runtime, unit: Unit, reason: str) -> Unit:
    """End a unit as FAILED, and cancel its tasks that nobody holds; the unit as it is now."""
    units = runtime.part(UnitKinds).of(unit.id).units(runtime)
    await units.give_up(unit.id, UnitState.FAILED, reason, runtime.now())
    # It may have been decided in the meantime, or have got more tasks.
    current = await units.get(unit.id) or unit
    await _cancel(runtime, [current])
    return current
