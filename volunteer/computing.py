"""Running a task's function."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import orjson

from sandbox import VOLUNTEER, FailureKind, Function, Returned, Sandbox, Wanted
from volunteer.calls import LeasedTask, Report

PARAMETERS = ("variable", "context")

Tamper = Callable[[Any], Any]
"""Turns a right result into a wrong one: how a demonstration, or a test, gets a host that cheats."""


class MachineBusy(Exception):
    """Other work left this machine no time for the computation. It says nothing of the job."""


def is_genuine(source: str, sha256: str) -> bool:
    """Whether a job's source is the one that its SHA-256 (hex, of the UTF-8) names."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest() == sha256


async def compute(
    sandbox: Sandbox, task: LeasedTask, source: str, *, owner: str, tamper: Tamper | None = None
) -> Report:
    """Call the job's function on the task's variable and context.

    A long computation outlasts its lease, which heartbeats extend; one that neither ends within a lease nor within
    the sandbox's own limit is taken for endless. `owner`: calls of one owner take turns.

    Raises MachineBusy: the task is for somebody else.
    """
    began = time.monotonic()
    [outcome] = await sandbox.run(
        Function(source, PARAMETERS, Wanted.JOB),
        [[orjson.dumps(task.variable).decode(), orjson.dumps(task.context).decode()]],
        owner=owner,
        timeout_ms=max(VOLUNTEER.timeout_ms, int(task.delay_bound_s * 1000)),
    )
    elapsed_ms = int((time.monotonic() - began) * 1000)
    if not isinstance(outcome, Returned):
        if outcome.kind in (FailureKind.STARVED, FailureKind.KILLED):
            raise MachineBusy(outcome.message)
        return Report(task, elapsed_ms, error=outcome.message)
    returned = orjson.loads(outcome.json)
    value = returned["value"]
    return Report(task, elapsed_ms, value=tamper(value) if tamper else value, context=returned["context"])
