"""What comes back from untrusted code."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNDEFINED: Final = "undefined"
"""Stands for an argument that is JavaScript's `undefined`, beside arguments that are JSON texts."""


class Wanted(StrEnum):
    """What a function should return. `call.js` says what becomes of it, and what is an error."""

    VALUE = "value"
    """Any JSON value."""
    TRUTH = "truth"
    """Whatever JavaScript takes for true or false: `true` or `false` comes back."""
    VERDICT = "verdict"
    """What a validator says, and nothing that it made: `true`, `false`, or `{"valid": ..., "reason": ...}`."""
    JOB = "job"
    """The context with a field `result`: `{"value": ..., "context": {...}}` comes back."""


@dataclass(frozen=True, slots=True)
class Function:
    """An owner's code and the names of its parameters. See `SourceForm` for how it may be written.

    Attributes:
        most_bytes: the longest value that it may return, as JSON; 0: what the limits allow.
    """

    source: str
    parameters: tuple[str, ...]
    wanted: Wanted = Wanted.VALUE
    most_bytes: int = 0


class FailureKind(StrEnum):
    """Why a call gave no value."""

    ERROR = "error"
    """The code threw, or its promise was rejected."""
    SYNTAX = "syntax"
    """The source does not parse."""
    UNDEFINED = "undefined"
    """It returned undefined."""
    NO_RESULT = "no_result"
    """A job's function returned something else than an object with a field `result` of its own."""
    NOT_JSON = "not_json"
    """It returned what JSON cannot carry: NaN, a Map, a BigInt, a cycle, a getter that throws."""
    TOO_LARGE = "too_large"
    """The result is longer, or nested deeper, than allowed."""
    PENDING = "pending"
    """Its promise never settled."""
    TIMEOUT = "timeout"
    """It took more processor time than allowed."""
    STARVED = "starved"
    """The machine was too busy to run it: it did not get its processor time in many times that."""
    MEMORY = "memory"
    """It took more memory than allowed."""
    KILLED = "killed"
    """Something else on this machine killed its process, as the kernel does where memory runs out."""
    CRASH = "crash"
    """Its process ended by itself, for another reason."""
    USED_UP = "used_up"
    """It was not called: its request's other calls have used up what a request may use."""
    OVER_QUOTA = "over_quota"
    """It was not called: its account's calls have used up what they may use in a minute."""
    CIRCUIT_OPEN = "circuit_open"
    """It was not called: this owner's calls keep killing workers."""
    WITHHELD = "withheld"
    """It was not called: nobody has approved of it yet."""

    @property
    def is_transient(self) -> bool:
        """Whether it says nothing of the code: the same call may give a value another time."""
        return self in TRANSIENT


TRANSIENT = frozenset(
    {
        FailureKind.STARVED,
        FailureKind.KILLED,
        FailureKind.USED_UP,
        FailureKind.OVER_QUOTA,
        FailureKind.CIRCUIT_OPEN,
        FailureKind.WITHHELD,
    }
)


@dataclass(frozen=True, slots=True)
class Returned:
    """A value: the text that V8's own `JSON.stringify` made of it, lone surrogates replaced by U+FFFD."""

    json: str


@dataclass(frozen=True, slots=True)
class Threw:
    """No value: why, and what the owner is told, in 1 to 500 characters of well-formed Unicode; and the seconds after
    which the same call may give one, or 0 where that is not known."""

    message: str
    kind: FailureKind
    retry_after_s: int = 0


Outcome = Returned | Threw


class SourceKind(StrEnum):
    """How an owner wrote a function."""

    EXPRESSION = "expression"
    """A function expression, an arrow function, or any other expression; `export default` may lead it."""
    METHOD = "method"
    """A method as in an object literal: `execute(variable, context) {...}`."""
    BODY = "body"
    """The body of a function over the parameters."""


@dataclass(frozen=True, slots=True)
class SourceForm:
    """What an owner's source is, and the function body that does what it says.

    Attributes:
        kind: how it was written.
        body: for `new Function(...parameters, body)`: the owner's own text where that is a body.
    """

    kind: SourceKind
    body: str


class NotRun(Exception):
    """The sandbox could not run something now, which says nothing of the code.

    Attributes:
        retry_after_s: the seconds after which it can, if that is known; otherwise 0.
    """

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unparsable(Exception):
    """A source is no JavaScript function: it does not parse, or there is nothing in it.

    Attributes:
        message: what V8 says of it.
        line: the line in the owner's text, from 1.
        column: the column there in UTF-16 code units, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} ({line}:{column})")
        self.message = message
        self.line = line
        self.column = column
