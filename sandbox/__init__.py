"""Untrusted JavaScript, run in V8 worker processes that can be killed at any moment."""

from sandbox.allowance import Allowance
from sandbox.limits import VALIDATION, VOLUNTEER, Limits
from sandbox.minute import Minute
from sandbox.nesting import is_deeper, nesting
from sandbox.outcomes import (
    UNDEFINED,
    FailureKind,
    Function,
    NotRun,
    Outcome,
    Returned,
    SourceForm,
    SourceKind,
    Threw,
    Unparsable,
    Wanted,
)
from sandbox.pool import Sandbox, SandboxClosed
from sandbox.process import WorkerNotStarted
from sandbox.scripts import CALL, SCRIPTS

__all__ = [
    "CALL",
    "SCRIPTS",
    "UNDEFINED",
    "VALIDATION",
    "VOLUNTEER",
    "Allowance",
    "FailureKind",
    "Function",
    "Limits",
    "Minute",
    "NotRun",
    "Outcome",
    "Returned",
    "Sandbox",
    "SandboxClosed",
    "SourceForm",
    "SourceKind",
    "Threw",
    "Unparsable",
    "Wanted",
    "WorkerNotStarted",
    "is_deeper",
    "nesting",
]
