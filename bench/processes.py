"""Servers in processes of their own, and the CPU time that they take."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import uvicorn
from starlette.types import ASGIApp

SPAWN = get_context("spawn")
STOPS_WITHIN_S = 30.0
CPUCLOCK_SCHED = 2


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port on 127.0.0.1 and its process."""

    port: int
    pid: int

    def cpu_ns(self) -> int:
        """CPU time of all the process's threads so far.

        The id of another process's clock is `(~pid << 3) | CPUCLOCK_SCHED` on Linux, as `clock_getcpuclockid(3)`
        makes it, which Python doesn't offer.
        """
        return time.clock_gettime_ns((~self.pid << 3) | CPUCLOCK_SCHED)


@contextmanager
def serving(make_app: Callable[..., ASGIApp], *arguments: object) -> Iterator[Server]:
    """A uvicorn in a process of its own that serves `make_app(*arguments)`, as `comp-pool serve` does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = SPAWN.Process(target=_serve, args=(listening, make_app, arguments))
        process.start()
        try:
            assert process.pid is not None
            yield Server(listening.getsockname()[1], process.pid)
        finally:
            process.terminate()
            process.join(STOPS_WITHIN_S)


def _serve(listening: socket.socket, make_app: Callable[..., ASGIApp], arguments: tuple[object, ...]) -> None:
    config = uvicorn.Config(
        make_app(*arguments), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listening])
