"""What a volunteer tells of its work while it goes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Claimed:
    """Tasks were leased."""

    tasks: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A task's function has returned, or failed with `error`. Not reported yet."""

    job: str
    elapsed_ms: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The pool took a result, and thinks this of it for now."""

    job: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A task's lease is gone: its computation was dropped, or its result came too late to be taken."""

    job: str
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    """Tasks were given back uncomputed."""

    tasks: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """There is nothing to compute, or the pool is away; it is asked again in about so many seconds."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """The host's record at the pool: verdicts of all its results, also those that came later."""

    host: str
    valid: int
    invalid: int
    failed: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that its operator should know."""

    message: str


Event = Claimed | Computed | Judged | Lost | Released | Waiting | Standing | Warned


def described(event: Event) -> dict[str, Any]:
    """The event as JSON, for programs."""
    return {"event": type(event).__name__.lower(), **asdict(event)}
