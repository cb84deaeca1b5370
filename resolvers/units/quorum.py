"""When does a unit of work have its canonical result? Pure rules, after BOINC's transitioner and validator
(https://github.com/BOINC/boinc/wiki/ValidationSimple)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from resolvers.units.policies import Policy


@dataclass(frozen=True, slots=True)
class Ballot:
    """One result as a vote. `digest` is empty for a failed result: it counts as an error and never agrees."""

    number: str
    host: str
    digest: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """The unit is done: `agreeing` result numbers (the first is canonical) against `dissenting` ones."""

    agreeing: tuple[str, ...]
    dissenting: tuple[str, ...]

    @property
    def canonical(self) -> str:
        return self.agreeing[0]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The unit can't be done under its policy."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """`missing` more votes could decide; `replicas` new tasks are needed to get them."""

    missing: int
    replicas: int


def find_agreement(policy: Policy, ballots: Sequence[Ballot], trusted: Collection[str] = ()) -> Agreed | None:
    """The decision that the ballots allow, or None. A host's second ballot does not count; a `trusted` host's
    word is enough where the policy is adaptive."""
    groups = _groups(ballots)
    if policy.adaptive:
        for digest, group in groups.items():
            if any(ballot.host in trusted for ballot in group):
                return _agreed(groups, digest)
    winner = max(groups, key=lambda digest: len(groups[digest]), default="")
    if winner and len(groups[winner]) >= policy.quorum:
        return _agreed(groups, winner)
    return None


def find_shortfall(policy: Policy, ballots: Sequence[Ballot], *, outstanding: int, total: int) -> Waiting | GivenUp:
    """What ballots that don't agree yet call for, where `outstanding` tasks may still bring one and `total` tasks
    were created so far."""
    errors = sum(not ballot.digest for ballot in ballots)
    if errors >= policy.max_errors:
        return GivenUp(f"its failed results reached the policy's max_errors, {policy.max_errors}")
    missing = policy.quorum - max(map(len, _groups(ballots).values()), default=0)
    replicas = max(0, missing - outstanding)
    if replicas and total + replicas > policy.max_total:
        return GivenUp(f"a quorum of {policy.quorum} is out of reach: the policy's max_total is {policy.max_total}")
    return Waiting(missing, replicas)


def disagree(ballots: Sequence[Ballot]) -> bool:
    return len(_groups(ballots)) > 1


def _groups(ballots: Sequence[Ballot]) -> dict[str, list[Ballot]]:
    groups: dict[str, list[Ballot]] = {}
    voters: set[str] = set()
    for ballot in ballots:
        if ballot.digest and ballot.host not in voters:
            voters.add(ballot.host)
            groups.setdefault(ballot.digest, []).append(ballot)
    return groups


def _agreed(groups: dict[str, list[Ballot]], winner: str) -> Agreed:
    return Agreed(
        agreeing=tuple(ballot.number for ballot in groups[winner]),
        dissenting=tuple(ballot.number for digest, group in groups.items() if digest != winner for ballot in group),
    )
