"""A server process that another one started: `python -m server.process SOCKET_DESCRIPTOR PARENT_PID`.

Reads its settings as JSON from standard input, prints READY once it answers, and ends on SIGTERM or with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys

import uvloop

from server.logs import set_up_logging
from server.problems import one_line_errors
from server.serving import serve
from server.settings import Settings
from server.stopping import stop_signals

READY = b"READY\n"
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Serve as the command line and standard input say."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    _die_with(parent)
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    set_up_logging(settings.log_level)
    with socket.socket(fileno=descriptor) as listener, one_line_errors():
        uvloop.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    with stop_signals() as stop:
        await serve(settings, listener, stop=stop, ready=lambda _: os.write(sys.stdout.fileno(), READY), is_alone=False)


def _die_with(parent: int) -> None:
    """Killed, the parent can't end its children: the kernel does it, on Linux."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # It ended before the signal was asked for.
        sys.exit(1)


if __name__ == "__main__":
    main()
