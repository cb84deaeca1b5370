"""Servers that start in half the time: forks of a process that has imported `comp-pool serve` already.

For tests of what a server answers. Those of the command itself, in `tests/e2e`, start the command.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from cli.group import commands
from tests.processes import PATIENCE_S, RunningServer, serve_arguments


@contextmanager
def warm_server(database: str | Path, *, port: int = 0, options: Sequence[str] = ()) -> Iterator[RunningServer]:
    """`comp-pool serve` on a database, stopped by SIGTERM at the end of the block if it still runs."""
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch) / "stdout"
        os.mkfifo(said)
        process = psutil.Process(_fork(str(said), *serve_arguments(database, port=port, options=options)))
        try:
            with said.open() as stdout:
                line = stdout.readline()
                assert line, "comp-pool serve ended"
                answer = json.loads(line)
                yield RunningServer(answer["url"], process, answer)
        finally:
            if process.is_running():
                process.terminate()
                process.wait(PATIENCE_S)


def _fork(*request: str) -> int:
    """The process id of a new server: where its standard output goes, and its arguments, make the request."""
    zygote = _zygote()
    assert zygote.stdin
    assert zygote.stdout
    zygote.stdin.write(json.dumps(request) + "\n")
    zygote.stdin.flush()
    return int(zygote.stdout.readline())


@cache
def _zygote() -> subprocess.Popen[str]:
    """One for this process; it ends with it, once nobody can write to it any more."""
    command = [sys.executable, "-m", "tests.warm_servers"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _serve_requests() -> None:
    import_module("cli.commands.serve")
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        stdout, *arguments = json.loads(line)
        if (process := os.fork()) == 0:
            _become(stdout, arguments)
        print(process, flush=True)


def _reap(*_: Any) -> None:
    """A process that has ended is there until it is asked how."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(stdout: str, arguments: Sequence[str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(stdout, os.O_WRONLY), 1)
    commands(args=list(arguments), prog_name="comp-pool")


if __name__ == "__main__":
    _serve_requests()
