"""The log, on standard error. What others wrote gets into it as they wrote it, and never as lines of its own."""

from __future__ import annotations

import logging
import re
import time
from types import TracebackType
from typing import TypeAlias

from server.settings import LogLevel

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OWN = ("cli", "comp_pool", "rest_compat", "resolvers", "sandbox", "schema", "server", "storage", "volunteer")
MOST_CHARACTERS = 2_000
MOST_LINES = 60
EACH_S = 1.0
MOST_EVENTS = 10_000

# Control characters, line ends that are none in ASCII, what turns the direction of text, and halves of pairs.
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SECRETS = re.compile(
    r"(?P<shown>\b(?:bearer|basic)\s+)[^\s'\",]+"  # Authorization
    r"|(?P<token>\bc[lps]_)[A-Za-z0-9_.-]{8,}"  # links, tokens and sessions of accounts
    r"|(?P<host>\b[0-9a-f]{16}\.)[A-Za-z0-9_-]{16,}"  # tokens of hosts, whose keys are public
    r"|(?P<password>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"  # URIs of databases
    r"|(?P<parameters>connection_?params['\"]?\s*[:=]\s*).*",  # what a WebSocket is opened with
    re.IGNORECASE,
)

_ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up_logging(level: LogLevel) -> None:
    """Have the log written to standard error, by all loggers of this process.

    `debug` is for our own modules: libraries would write frames and headers, with all the tokens in them.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Plain(FORMAT))
    handler.addFilter(Sparing())
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(wanted, logging.INFO), handlers=[handler])
    for name in OWN:
        logging.getLogger(name).setLevel(wanted)


class Plain(logging.Formatter):
    """An entry is one line; those of a traceback follow it, indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        left_out = getattr(record, "left_out", 0)
        more = f" (and {left_out:,} more like it)" if left_out else ""
        return plain(super().formatMessage(record)) + more

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


class Sparing(logging.Filter):
    """Lets one entry of a kind pass a second, with the number of those that were left out since the last.

    A kind is a logger's message without its arguments, what was raised, and the job that `extra={"job": ...}` names.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        raised = record.exc_info[0] if record.exc_info else None
        text = record.getMessage() if record.msg == "%s" else record.msg
        kind = (record.name, record.levelno, text, raised, getattr(record, "job", None))
        last, left_out = self._seen.get(kind, (-EACH_S, 0))
        if now - last < EACH_S:
            self._seen[kind] = last, left_out + 1
            return False
        if len(self._seen) >= MOST_EVENTS:
            self._seen.clear()
        self._seen[kind] = now, 0
        record.left_out = left_out
        return True


def plain(text: str) -> str:
    """One line of at most 2,000 characters, without secrets, in which nothing steers a terminal."""
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}… ({len(text):,} characters)"
    return _STEERING.sub(_escape, _SECRETS.sub(_hide, text))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _hide(found: re.Match[str]) -> str:
    return f"{next(filter(None, found.groups()), '')}***"


def _indented(text: str) -> str:
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines = [*lines[:half], f"… ({len(lines) - MOST_LINES:,} lines)", *lines[-half:]]
    return "\n".join(f"    {plain(line)}" for line in lines)
