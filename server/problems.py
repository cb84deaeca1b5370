"""What goes wrong, said in one line: exit code 2 for how a command was called, 1 for everything else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

log = logging.getLogger(__name__)

FAILED = 1


class Failure(click.ClickException):
    """A command can't do what it was asked to; the message says why and what would help."""

    exit_code = FAILED


def one_line(problem: object) -> str:
    """The message of an exception, or of what else says what is wrong, without its line ends."""
    return " ".join(str(problem).split()) or type(problem).__name__


def lines(problem: object, others: Iterable[object]) -> str:
    """All that is wrong, a line each."""
    return "\n".join(map(one_line, (problem, *others)))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the process with one line on standard error for an exception that no command expected."""
    try:
        yield
    except Exception as problem:
        log.debug("unexpected", exc_info=True)
        click.echo(f"Error: {type(problem).__name__}: {one_line(problem)}", err=True)
        sys.exit(FAILED)
