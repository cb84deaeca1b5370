"""What a flow means, as a plain recursive interpreter that knows nothing of the engine.

The rules are those that owners are told; the hive is a pure function of what a job's function gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Context = Mapping[str, Any]


class Failure(Exception):
    """A job's function, or a condition, threw; the message says which."""


@dataclass(frozen=True)
class Condition:
    """A condition as its owner writes it, and what it means."""

    source: str
    holds: Callable[[Any, Context], Any]
    """JavaScript's truth is taken of what it returns. Raises Failure where the source throws."""


@dataclass(frozen=True)
class Job:
    """`variable` is a key of the job's variables; None leaves the choice to the pool."""

    job: str
    variable: str | None = None
    condition: Condition | None = None
    repeat: Condition | None = None
    alias: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Level:
    jobs: Sequence[Job]
    dependent: Sequence[Level] = ()

    def walk(self, path: str = "") -> Iterator[tuple[str, Level]]:
        """All levels with their paths, in the order of the text."""
        yield path, self
        for at, below in enumerate(self.dependent):
            yield from below.walk(f"{path}dependent[{at}].")


class State(StrEnum):
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHED = "unreached"


@dataclass
class JobEnd:
    state: State = State.UNREACHED
    result: Any = None
    repeats: int = 0


@dataclass
class LevelEnd:
    state: State = State.UNREACHED
    context: Any = None
    merged: Any = None


Hive = Callable[[str, Any, Context], tuple[Any, Context]]
"""(job, variable, context) to a result and the returned context without it. Raises Failure."""


@dataclass
class Meaning:
    """A flow carried out to its end, and how each level and job of it ended, by path."""

    hive: Hive
    value_of: Callable[[str, Job], Any]
    """The value that the job at a path computes."""
    keep_going: bool
    """Whether the failure of a job leaves its flow alone (`onFailure: CONTINUE`)."""
    levels: dict[str, LevelEnd] = field(default_factory=dict)
    jobs: dict[str, JobEnd] = field(default_factory=dict)

    def level(self, level: Level, path: str = "") -> Context | None:
        """What the level merges into, or None where the flow fails in it or below it."""
        end = self.levels[path] = LevelEnd()
        ends = [self.jobs.setdefault(f"{path}jobs[{at}]", JobEnd()) for at in range(len(level.jobs))]
        # 1. The levels it depends on come first; their merged objects, in order, make its context.
        below = [self.level(each, f"{path}dependent[{at}].") for at, each in enumerate(level.dependent)]
        context: dict[str, Any] = {}
        for merged in below:
            if merged is None:
                return None
            context |= merged
        end.context = context
        # 2. Then all its jobs run.
        for at, job in enumerate(level.jobs):
            self._run(job, self.value_of(f"{path}jobs[{at}]", job), context, ends[at])
        # 7. A job that fails ends the flow, or merges nothing.
        if not self.keep_going and any(each.state is State.FAILED for each in ends):
            end.state = State.FAILED
            return None
        # 4. Objects are assigned in array order, anything else is set under its name.
        own: dict[str, Any] = {}
        for name, each in zip(_names(level.jobs), ends, strict=True):
            if each.state is State.COMPLETED:
                own.update(each.result if isinstance(each.result, dict) else {name: each.result})
        skipped = bool(ends) and all(each.state is State.SKIPPED for each in ends)
        end.state = State.SKIPPED if skipped else State.COMPLETED
        end.merged = own
        return own

    def _run(self, job: Job, variable: Any, context: Context, end: JobEnd) -> None:
        try:
            if job.condition and not _truth(job.condition.holds(variable, context)):
                end.state = State.SKIPPED
                return
            end.result, returned = self.hive(job.job, variable, context)
            # 3. Again with the returned context while its `while` holds, up to `max_iterations` times.
            while job.repeat and _truth(job.repeat.holds(variable, {**returned, "result": end.result})):
                if end.repeats + 1 == job.policy.get("max_iterations", 1_000):
                    raise Failure("max_iterations")
                end.repeats += 1
                end.result, returned = self.hive(job.job, variable, {**returned, "result": end.result})
            end.state = State.COMPLETED
        except Failure:
            end.state = State.FAILED


def _names(jobs: Sequence[Job]) -> list[str]:
    """Each job's `as`, or its key; the next of `key-2`, `key-3`, ... that is free where that is taken."""
    taken = {job.alias for job in jobs if job.alias}
    names = []
    for job in jobs:
        name = job.alias or next(
            name
            for number in range(1, len(jobs) + 2)
            if (name := job.job if number == 1 else f"{job.job}-{number}") not in taken
        )
        taken.add(name)
        names.append(name)
    return names


def _truth(value: Any) -> bool:
    """JavaScript's: empty arrays and objects are true."""
    return isinstance(value, dict | list) or bool(value)
