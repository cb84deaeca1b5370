"""Untrusted JavaScript, run in V8 worker processes that can be killed at any moment."""

from sandbox.limits import VALIDATION, VOLUNTEER, Limits
from sandbox.nesting import is_deeper, nesting
from sandbox.outcomes import (
    UNDEFINED,
    FailureKind,
    Function,
    NotRunError,
    Outcome,
    Returned,
    SourceError,
    SourceForm,
    SourceKind,
    Threw,
    Wanted,
)
from sandbox.pool import Sandbox, SandboxClosedError
from sandbox.process import WorkerStartError
from sandbox.scripts import CALL

__all__ = [
    "CALL",
    "UNDEFINED",
    "VALIDATION",
    "VOLUNTEER",
    "FailureKind",
    "Function",
    "Limits",
    "NotRunError",
    "Outcome",
    "Returned",
    "Sandbox",
    "SandboxClosedError",
    "SourceError",
    "SourceForm",
    "SourceKind",
    "Threw",
    "Wanted",
    "WorkerStartError",
    "is_deeper",
    "nesting",
]
