"""Owners' JavaScript: compiled before it is stored, called in the sandbox, and read by JavaScript's own truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace

from resolvers.access.review import is_approved, waiting_for_review
from resolvers.access.rules import sandbox_caller
from resolvers.errors import QuotaExceeded, TooLarge, Unavailable, UnparsableJavaScript
from resolvers.json_text import size_of
from resolvers.runtime import Runtime
from resolvers.sandbox_minutes import SandboxMinutes
from sandbox import Allowance, FailureKind, Function, NotRun, Outcome, SourceForm, Threw, Unparsable, Wanted
from storage import Job

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "execute_function": ("variable", "context"),
    "validate_result": ("variable", "result", "context"),
    "variable_scheduler": ("context",),
    "compare_results": ("a", "b"),
    "if": ("variable", "context"),
    "while": ("variable", "context"),
}
"""What each function is called with, in order."""
SERVER_SIDE = ("validate_result", "variable_scheduler", "compare_results")
"""The functions of a job that the server runs."""
OF_A_JOB = ("execute_function", *SERVER_SIDE)
ASKED_FOR_TRUTH = frozenset({"compare_results", "if", "while"})
"""Those of which nothing counts except whether JavaScript takes their answer for true."""
MAX_SOURCE_BYTES = 1_000_000
MAX_ID_BYTES = 1_000
"""What a scheduler answers: a variable's id."""
FALSY = frozenset({"false", "null", "0", '""'})

_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


async def compiled(runtime: Runtime, source: str, name: str, *, field: str = "", account: str = "") -> SourceForm:
    """How V8 reads the `source` of the function called `name`: as a function expression or as a body. The time that
    takes counts to the account.

    Raises UnparsableJavaScript with the line and column in the owner's text, TooLarge, QuotaExceeded, and Unavailable;
    `field` is the input's path, by default its name.
    """
    field = field or name
    size = size_of(source)
    if size > MAX_SOURCE_BYTES:
        raise TooLarge(f"{field} may have at most {MAX_SOURCE_BYTES:,} bytes, got {size:,}", field=field)
    allowance = _allowance.get()
    if allowance and allowance.refusal:
        raise TooLarge(f"{field} was not read: {allowance.refusal.message}; send fewer functions at once", field=field)
    minute = runtime.part(SandboxMinutes).of(account)
    if refused := minute.refusal:
        raise QuotaExceeded(f"{field} was {refused.message}", field=field, retry_after_s=refused.retry_after_s)
    try:
        # Whoever submits something shares turns with other requests.
        return await runtime.sandbox.inspect(
            source, PARAMETERS[name], account=f"request {id(allowance)}", allowance=allowance, minute=minute
        )
    except Unparsable as problem:
        raise UnparsableJavaScript(
            f"{field} does not parse: {problem.message} (line {problem.line}, column {problem.column})", field=field
        ) from None
    except NotRun as problem:
        raise Unavailable(f"{field} can't be read now: {problem}; try again", field=field) from None


async def call(
    runtime: Runtime, job: Job, name: str, arguments: Sequence[Sequence[str]], wanted: Wanted | None = None
) -> list[Outcome]:
    """The outcomes of one of a job's functions that the server runs, in order, for arguments that are JSON texts.
    Those of a job that is not approved are withheld."""
    if not is_approved(job):
        return [Threw(waiting_for_review(job.key), FailureKind.WITHHELD)] * len(arguments)
    function = callable_as(name, getattr(job, name))
    if wanted is not None:
        function = replace(function, wanted=wanted)
    return await call_as(runtime, function, arguments, account=job.account, key=job.key)


async def call_as(
    runtime: Runtime, function: Function, arguments: Sequence[Sequence[str]], *, account: str, key: str
) -> list[Outcome]:
    """The outcomes of a function of the account's job or flow with this key, in turns with others, and within what the
    request and the account may use."""
    return await runtime.sandbox.run(
        function,
        arguments,
        owner=sandbox_caller(account, key),
        account=account,
        allowance=_allowance.get(),
        minute=runtime.part(SandboxMinutes).of(account),
    )


def callable_as(name: str, source: str) -> Function:
    """What the sandbox calls for the `source` of the function called `name`, which is none that volunteers run."""
    if name == "variable_scheduler":
        return Function(source, PARAMETERS[name], most_bytes=MAX_ID_BYTES)
    wanted = Wanted.TRUTH if name in ASKED_FOR_TRUTH else Wanted.VALUE
    return Function(source, PARAMETERS[name], wanted)


def begin_request(runtime: Runtime) -> None:
    """Count what this request, and nothing else, uses of the sandbox from here on."""
    _allowance.set(Allowance(runtime.request_sandbox_seconds))


def unavailable(outcome: Outcome) -> str:
    """Why a function could not be asked now, or empty."""
    return outcome.message if isinstance(outcome, Threw) and outcome.kind.is_transient else ""


def is_truthy(outcome: Outcome) -> bool:
    """JavaScript's truth of what a function returned; a function that threw returned nothing true."""
    return not isinstance(outcome, Threw) and outcome.json not in FALSY
