"""Several server processes on one socket and one store, kept running by their parent."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

from resolvers.access.first_operator import new_link
from server import process
from server.offline import runtime_over
from server.serving import UNFINISHED_REQUESTS_S
from server.settings import Settings
from storage import open_store

log = logging.getLogger(__name__)

START_S = 60.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0


class ProcessFailed(Exception):
    """A server process ended before it was ready; what it said of that is on standard error."""


async def serve_in_processes(
    settings: Settings, listener: socket.socket, *, stop: asyncio.Event, ready: Callable[[str], object]
) -> None:
    """Run `settings.workers` server processes on a listening socket until `stop` is set.

    This process opens the store first, and keeps it open: an embedded engine, and the lock on its directory, are
    its own. `ready` is called when all the others answer, as `serve` calls it. One that dies is started again.
    Raises ProcessFailed, and what opening the store raises.
    """
    async with open_store(settings.database) as store:
        link = await new_link(await runtime_over(store, settings))
        watched = settings.watched_directory or (str(directory) if (directory := store.database.directory) else None)
        shared = settings.model_copy(
            update={"database": store.database.uri, "workers": 1, "watched_directory": watched}
        )
        children = [_Child(shared, listener) for _ in range(settings.workers)]
        supervision: list[asyncio.Task[None]] = []
        try:
            await asyncio.gather(*(child.start() for child in children))
            supervision = [asyncio.create_task(child.supervise()) for child in children]
            ready(link)
            await stop.wait()
        finally:
            for task in supervision:
                task.cancel()
            await asyncio.gather(*supervision, return_exceptions=True)
            await asyncio.gather(*(child.stop(settings.drain_seconds) for child in children))


class _Child:
    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it is ready. Raises ProcessFailed."""
        descriptor = self._listener.fileno()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", process.__name__, str(descriptor), str(os.getpid())),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=[descriptor],
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order.
        )
        self._process = child
        assert child.stdin
        assert child.stdout
        with suppress(ConnectionError):
            child.stdin.write(self._settings.model_dump_json().encode())
            child.stdin.close()
        try:
            line = await asyncio.wait_for(child.stdout.readline(), START_S)
        except TimeoutError:
            line = b""
        if line != process.READY:
            await self.stop(0)
            raise ProcessFailed(f"a server process ended with status {child.returncode} before it was ready")

    async def supervise(self) -> None:
        """Start the process again whenever it ends, after a pause that grows while that fails."""
        pause = FIRST_PAUSE_S
        while True:
            assert self._process
            status = await self._process.wait()
            log.error("a server process ended with status %s; starting another one", status)
            await asyncio.sleep(pause)
            try:
                await self.start()
            except ProcessFailed as problem:
                log.error("%s", problem)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                pause = FIRST_PAUSE_S

    async def stop(self, drain_s: float) -> None:
        """Have the process finish what is under way within `drain_s` and some seconds, or kill it."""
        child = self._process
        if child is None:
            return
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.terminate()
        try:
            await asyncio.wait_for(child.wait(), drain_s + 2 * UNFINISHED_REQUESTS_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
