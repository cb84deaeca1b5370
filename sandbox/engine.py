"""V8 in this process. Only workers import it: no limit of V8's holds against every script."""

import json
import re
from typing import Any, NoReturn

from py_mini_racer import JSEvalException, JSOOMException, MiniRacer, init_mini_racer

from sandbox.limits import Limits
from sandbox.nesting import is_deeper
from sandbox.outcomes import FailureKind, Unparsable, Wanted
from sandbox.scripts import SCRIPTS

HIDDEN = (
    "SharedArrayBuffer",
    "Atomics",
    "FinalizationRegistry",
    "WeakRef",
    "console",
    "setTimeout",
    "clearTimeout",
    "__timer_manager",
)
# `new Function` puts two lines before the body.
FUNCTION_HEAD_LINES = 2
LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")
LOCATION = re.compile(r"[^\n]*?:(\d+): (?:\w*Error: )?([^\n]*)\n([^\n]*)\n( *)\^")


class FlagsIgnored(Exception):
    """V8 did not take the flags it was given, so its limits would not hold."""


def start(limits: Limits) -> None:
    """Start V8 with the limits' flags.

    Raises:
        FlagsIgnored: V8 doesn't know one of them.
    """
    # Last, since one unknown flag makes V8 ignore all the later ones: if this one took, all did.
    init_mini_racer(flags=(*limits.flags, f"--max-heap-size={limits.heap_mb}"))
    with MiniRacer() as racer:
        heap = racer.heap_stats()["heap_size_limit"]
    if heap != limits.heap_mb << 20:
        raise FlagsIgnored(f"V8 ignored some of its flags {limits.flags}: its heap is {heap} bytes")


class Context:
    """A fresh JavaScript world for one owner's function. Close it: an open one can hang the exit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._racer = MiniRacer()
        self._racer.set_hard_memory_limit(limits.hard_memory_mb << 20)
        hidden = HIDDEN if limits.webassembly else (*HIDDEN, "WebAssembly")
        self._racer.eval("".join(SCRIPTS.values()).replace("(HIDDEN);", f"({json.dumps(hidden)});"))

    def close(self) -> None:
        """Let go of V8's memory."""
        self._racer.close()

    def _command(self, name: str, *arguments: Any) -> str:
        # Only strings cross: a JavaScript object held by Python could run its owner's getters there.
        script = f"__sandbox.{name}({','.join(map(json.dumps, arguments))})"
        return str(self._racer.eval(script))

    def inspect(self, source: str, parameters: list[str]) -> dict[str, str]:
        """The kind and body of a source, without running any of it.

        Raises:
            Unparsable: it does not parse.
        """
        try:
            found = json.loads(self._command("inspect", source, parameters))
        except JSEvalException as error:
            raise Unparsable(str(error).partition("\n")[0].partition("Error: ")[2], 1, 1) from error
        if "empty" in found:
            raise Unparsable("The source is empty", 1, 1)
        if "readings" in found:
            self._refuse(found["readings"], parameters)
        form: dict[str, str] = found["form"]
        return form

    def _refuse(self, readings: list[list[str]], parameters: list[str]) -> NoReturn:
        # The reading that got furthest is the one the owner meant.
        errors = []
        for before, text, after in readings:
            # mini-racer never returns from an exception that quotes a lone surrogate.
            body = _scrubbed(before + text + after)
            try:
                self._command("attempt", parameters, body)
            except JSEvalException as error:
                errors.append(_located(str(error), before, text))
        raise max(errors, key=lambda error: (error.line, error.column))

    def prepare(self, source: str, parameters: list[str]) -> None:
        """Compile the function that `call` calls."""
        self._command("prepare", source, parameters)

    def call(self, arguments: list[str], wanted: Wanted, most_bytes: int) -> tuple[str, str]:
        """Call the prepared function.

        Args:
            arguments: JSON texts, or `UNDEFINED`.
            wanted: what it should return.
            most_bytes: the longest result, as JSON in UTF-8.

        Returns:
            `"returned"` and the result as JSON, or a `FailureKind` and the message.
        """
        try:
            reply = self._command("call", arguments, wanted, most_bytes)
            if reply.startswith(FailureKind.PENDING):
                reply = self._command("settled")
        except JSOOMException:
            return FailureKind.MEMORY, f"it took more than {self._limits.hard_memory_mb} MiB of memory"
        except JSEvalException as error:
            return FailureKind.ERROR, str(error)[:500]
        kind, _, text = reply.partition("\n")
        return self._checked(text, wanted, most_bytes) if kind == "returned" else (kind, text)

    def _checked(self, text: str, wanted: Wanted, most_bytes: int) -> tuple[str, str]:
        limits = self._limits
        # A job's result and context stand a level deeper than in what it returned.
        nesting = limits.nesting + (wanted is Wanted.JOB)
        if len(text.encode()) > most_bytes:
            return FailureKind.TOO_LARGE, f"the result is longer than {most_bytes} bytes"
        if is_deeper(text, nesting):
            return FailureKind.TOO_LARGE, f"the result is nested deeper than {limits.nesting} levels"
        return "returned", text


def _located(error: str, before: str, text: str) -> Unparsable:
    """V8's word on `before + text`, with the place in `text`."""
    found = LOCATION.match(error)
    if found is None:
        return Unparsable(error.partition("\n")[0], 1, 1)
    message, line, column = found[2], int(found[1]) - FUNCTION_HEAD_LINES, len(found[4]) + 1
    if line == 1:
        column -= len(before)
    lines = LINE_END.split(text)
    if line < len(lines) or (line == len(lines) and column <= _units(lines[-1])):
        return Unparsable(message, max(line, 1), max(column, 1))
    # V8 stumbled over what stands after the owner's text: something in that is still open, or closed twice.
    message = "Unexpected end of input" + (", or one '}' too many" if "'}'" in message else "")
    return Unparsable(message, len(lines), _units(lines[-1]) + 1)


def _scrubbed(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
