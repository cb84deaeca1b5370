"""Job schedulers: in which order a volunteer is offered the jobs that have work.

A scheduler is a name and one function. Another package adds its own under the entry point group
`comp_pool.schedulers`:

    [project.entry-points."comp_pool.schedulers"]
    fair = "my_package:fair"
"""

from __future__ import annotations

import random as randomness
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

from storage import Queue

ENTRY_POINTS = "comp_pool.schedulers"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that may have work: its key, owner, run time (ms, 0 where unknown) and since when it has work (ms
    since the epoch)."""

    job: str
    owner: str
    run_ms: float
    since: int

    @classmethod
    def of(cls, queue: Queue) -> Candidate:
        return cls(queue.job, queue.owner, queue.run_ms, queue.oldest_at)


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks: the owners that the host supports (empty: all), and a source of randomness."""

    owners: frozenset[str]
    random: randomness.Random


Scheduler = Callable[[Sequence[Candidate], Request], Sequence[Candidate]]
"""Candidates in, the ones to offer out, the first one first. Leaving one out means it is not offered."""


def random(candidates: Sequence[Candidate], request: Request) -> Sequence[Candidate]:
    return request.random.sample(candidates, len(candidates))


def shortest(candidates: Sequence[Candidate], request: Request) -> Sequence[Candidate]:
    """Jobs of which nothing is known go first: that is how they become known."""
    return sorted(candidates, key=lambda candidate: candidate.run_ms)


def owners(candidates: Sequence[Candidate], request: Request) -> Sequence[Candidate]:
    """Only jobs of the owners that the host supports, at random."""
    supported = [candidate for candidate in candidates if candidate.owner in request.owners]
    return random(supported, request)


def oldest(candidates: Sequence[Candidate], request: Request) -> Sequence[Candidate]:
    return sorted(candidates, key=lambda candidate: candidate.since)


BUILT_IN: Mapping[str, Scheduler] = {
    "random": random,
    "shortest": shortest,
    "owners": owners,
    "oldest": oldest,
}


def load_schedulers() -> dict[str, Scheduler]:
    """The built-in schedulers and those of installed packages, by name.

    Raises whatever a broken entry point raises: a pool with half its schedulers would surprise its users later.
    """
    return {**BUILT_IN, **{entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}}
