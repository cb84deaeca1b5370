"""What a file may hold, once it is read: jobs with their variables, and results."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from slugify import slugify


class LoadProblem(Exception):
    """A file can't be loaded. The message names the file, the job, and the field at fault; `others` are what else is
    wrong."""

    def __init__(self, file: str, where: str, message: str, others: Sequence[LoadProblem] = ()) -> None:
        super().__init__(": ".join(part for part in (file, where, message) if part))
        self.others = others


@dataclass(frozen=True, slots=True)
class NewVariable:
    """An input. `where` is its place in the file."""

    id: str
    value: Any
    where: str


@dataclass(slots=True)
class NewJob:
    """A job, as the input of `createJob`, and its variables; without an input where the pool must have it."""

    key: str
    where: str
    input: dict[str, Any] | None
    variables: list[NewVariable] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NewResult:
    """A result that an original comp-pool had taken."""

    job: str
    variable: str
    value: Any
    where: str


@dataclass(slots=True)
class Workload:
    """All that one file holds."""

    file: str
    jobs: list[NewJob]
    results: list[NewResult] = field(default_factory=list)


def key_of(name: str) -> str:
    """The key that the pool makes of a job's name."""
    return slugify(name)


def with_ids(job: str, given: Iterable[tuple[str, Any, str]]) -> list[NewVariable]:
    """Variables of (id, value, where), those without an id under one that follows from the job and the value.

    So a file that is loaded again, also a longer one, adds only what is new. A value that comes twice is two
    variables.
    """
    seen: Counter[bytes] = Counter()
    variables = []
    for id_, value, where in given:
        made = id_
        if not made:
            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            made = hashlib.sha256(b"\0".join([job.encode(), str(seen[text]).encode(), text])).hexdigest()[:32]
            seen[text] += 1
        variables.append(NewVariable(made, value, where))
    return variables


def json_problem(value: Any) -> str:
    """Why a value of a YAML file is no JSON, or empty."""
    try:
        json.dumps(value, allow_nan=False)
        orjson.dumps(value)
    except (TypeError, ValueError) as problem:
        return f"this is no JSON value ({problem}): put dates and other words in quotes"
    return ""
