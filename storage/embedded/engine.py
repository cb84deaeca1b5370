"""Keeps an embedded engine running for as long as the server needs it."""

import asyncio
import logging
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from storage.embedded import launcher

log = logging.getLogger(__name__)

_STARTUP_S = 30.0
_LOCK_PATIENCE_S = 5.0  # A server killed a moment ago leaves an engine that still has to notice.
_SHUTDOWN_S = 10.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_CHUNK_BYTES = 65_536

_RUN = "run"
_SOCKET = "pool.sock"
_PREFIX = "comp-pool-"
_SOCKET_PATH_BYTES = 107  # unix(7): sun_path has 108, the last of which is NUL.


class EngineFailed(Exception):
    """The embedded engine's process didn't start; the message has what it said."""


class DirectoryInUse(EngineFailed):
    """Another server keeps its data in the directory. Two engines would hand out the same work twice."""


class SqliteMismatch(EngineFailed):
    """The directory was written with another version of SQLite, which stores documents differently."""


_FAILURES = {launcher.EXIT_IN_USE: DirectoryInUse, launcher.EXIT_SQLITE_MISMATCH: SqliteMismatch}


@asynccontextmanager
async def embedded_engine(directory: Path) -> AsyncIterator[str]:
    """Run an engine on the data in `directory`, which is created when missing, and give its MongoDB URI.

    An engine that dies is started again at the same URI. It ends with the block, or with this process.

    Raises:
        DirectoryInUse: another server has the directory.
        SqliteMismatch: another version of SQLite wrote it.
        EngineFailed: the engine didn't start for another reason.
    """
    with _directories(directory) as (data, sockets):
        socket = sockets / _SOCKET
        engine = _Engine(data, socket)
        await engine.start()
        supervision = asyncio.create_task(engine.supervise())
        try:
            yield _uri(socket)
        finally:
            supervision.cancel()
            with suppress(asyncio.CancelledError):
                await supervision
            await engine.stop()


async def running_engine(directory: Path) -> str:
    """The MongoDB URI of the engine that a server runs on `directory`, or empty where none listens there. (That of a
    directory whose path is too long for a socket is not found.)"""
    socket = directory / _RUN / _SOCKET
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return ""
    writer.close()
    return _uri(socket)


def _uri(socket: Path) -> str:
    # journal: an acknowledged write is on the disk.
    return f"mongodb://{quote(str(socket), safe='')}/?journal=true"


@contextmanager
def _directories(directory: Path) -> Iterator[tuple[Path, Path]]:
    """Make the directories of the data and of the socket, which only this user enters.

    The socket's is in the data's. Where that path is too long for a socket, it is a temporary one in
    $XDG_RUNTIME_DIR, or else, if that is missing or its path is too long too, among the system's temporary files.
    """
    data = directory.absolute()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    sockets = data / _RUN
    if len(os.fsencode(sockets / _SOCKET)) <= _SOCKET_PATH_BYTES:
        sockets.mkdir(mode=0o700, exist_ok=True)
        sockets.chmod(0o700)
        yield data, sockets
    else:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        fits = len(os.fsencode(runtime)) <= _SOCKET_PATH_BYTES - len(f"/{_PREFIX}12345678/{_SOCKET}")
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=runtime if runtime and fits else None) as temporary:
            yield data, Path(temporary)


class _Engine:
    """One process after another on the same data and socket."""

    def __init__(self, directory: Path, socket: Path) -> None:
        self._directory = directory
        self._socket = socket
        self._process: Process
        self._hearing: asyncio.Task[None]
        self._said: deque[str] = deque(maxlen=20)
        self._is_ready = False

    async def start(self) -> None:
        self._said.clear()
        self._is_ready = False
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            launcher.__file__,
            str(self._directory),
            str(self._socket),
            str(os.getpid()),
            str(_LOCK_PATIENCE_S),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,  # Ctrl-C is for the server, which ends its engine last.
        )
        assert process.stdout
        assert process.stderr
        self._hearing = asyncio.create_task(self._hear(process.stderr))
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _STARTUP_S)
        except TimeoutError:
            await self.stop()
            raise EngineFailed(self._message(f"was not ready after {_STARTUP_S:g} s")) from None
        except asyncio.CancelledError:
            await self.stop()
            raise
        if line != b"READY\n":
            await self._end()
            failure = _FAILURES.get(process.returncode or 0, EngineFailed)
            raise failure(self._message(f"ended with status {process.returncode}"))
        self._is_ready = True

    async def supervise(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            status = await self._process.wait()
            log.error("%s", self._message(f"ended with status {status}; it is started again"))
            await asyncio.sleep(pause)
            try:
                await self.start()
            except EngineFailed:
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                pause = _FIRST_PAUSE_S

    async def stop(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
        await self._end()

    async def _end(self) -> None:
        try:
            await asyncio.wait_for(self._process.wait(), _SHUTDOWN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._hearing

    async def _hear(self, errors: asyncio.StreamReader) -> None:
        while chunk := await errors.read(_CHUNK_BYTES):
            text = chunk.decode(errors="replace").rstrip()
            self._said.append(text)
            if self._is_ready:  # Until then it is told by the exception.
                log.warning("%s", text)

    def _message(self, what: str) -> str:
        return "\n".join([f"The embedded engine on {self._directory} {what}.", *self._said])
