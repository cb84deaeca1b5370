"""Owners' JavaScript: compiled before it is stored, called in the sandbox, and read by JavaScript's own truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resolvers.access.rules import sandbox_caller
from resolvers.errors import TooLarge, Unavailable, UnparsableJavaScript
from resolvers.runtime import Runtime
from sandbox import Function, NotRun, Outcome, SourceForm, Threw, Unparsable, Wanted
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
ASKED_FOR_TRUTH = frozenset({"compare_results", "if", "while"})
"""Those of which nothing counts except whether JavaScript takes their answer for true."""
MAX_SOURCE_BYTES = 1_000_000
FALSY = frozenset({"false", "null", "0", '""'})


async def compiled(runtime: Runtime, source: str, name: str, *, field: str = "") -> SourceForm:
    """How V8 reads the `source` of the function called `name`: as a function expression or as a body.

    Raises UnparsableJavaScript with the line and column in the owner's text, TooLarge, and Unavailable; `field` is the
    input's path, by default its name.
    """
    field = field or name
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        raise TooLarge(f"{field} may have at most {MAX_SOURCE_BYTES:,} bytes, got {size:,}", field=field)
    try:
        return await runtime.sandbox.inspect(source, PARAMETERS[name])
    except Unparsable as problem:
        raise UnparsableJavaScript(
            f"{field} does not parse: {problem.message} (line {problem.line}, column {problem.column})", field=field
        ) from None
    except NotRun as problem:
        raise Unavailable(f"{field} can't be read now: {problem}; try again", field=field) from None


async def call(runtime: Runtime, job: Job, name: str, arguments: Sequence[Sequence[str]]) -> list[Outcome]:
    """The outcomes of one of a job's functions that the server runs, in order, for arguments that are JSON texts."""
    function = callable_as(name, getattr(job, name))
    return list(await runtime.sandbox.run(function, arguments, owner=sandbox_caller(job.account, job.key)))


def callable_as(name: str, source: str) -> Function:
    """What the sandbox calls for the `source` of the function called `name`, which is none that volunteers run."""
    wanted = Wanted.TRUTH if name in ASKED_FOR_TRUTH else Wanted.VALUE
    return Function(source, PARAMETERS[name], wanted)


def unavailable(outcome: Outcome) -> str:
    """Why a function could not be asked now, or empty."""
    return outcome.message if isinstance(outcome, Threw) and outcome.kind.is_transient else ""


def is_truthy(outcome: Outcome) -> bool:
    """JavaScript's truth of what a function returned; a function that threw returned nothing true."""
    return not isinstance(outcome, Threw) and outcome.json not in FALSY
