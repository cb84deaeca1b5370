"""The embedded engine's process: `python launcher.py DIRECTORY SOCKET PARENT_PID LOCK_PATIENCE_S`.

Serves the databases in DIRECTORY on the unix socket SOCKET until SIGTERM, SIGINT or the end of the process
PARENT_PID, printing READY once it listens. It waits up to LOCK_PATIENCE_S seconds for another process to
leave DIRECTORY. It is started by path and imports nothing of this project's.
"""

import asyncio
import ctypes
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any

from neosqlite._sqlite import sqlite3
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client

EXIT_IN_USE = os.EX_TEMPFAIL
"""Exit status: another process holds the directory."""
EXIT_SQLITE_MISMATCH = os.EX_DATAERR
"""Exit status: another SQLite version wrote the directory."""

_PR_SET_PDEATHSIG = 1  # prctl(2), Linux.

_LOCK_PAUSE_S = 0.05

_WRITES = frozenset({"update", "delete", "findAndModify"})


def main() -> None:
    """Run the engine as the command line says."""
    directory, socket, parent, patience_s = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("nx_27017").addFilter(_in_one_line)
    _die_with(int(parent))
    os.umask(0o077)
    _run(Path(directory), Path(socket), float(patience_s))


def _run(directory: Path, socket: Path, patience_s: float) -> None:
    with (directory / "LOCK").open("w") as lock:
        _hold(lock, directory, patience_s)
        _stamp_sqlite(directory / "SQLITE_VERSION")
        handler = _OneSyncACommand(data_dir=str(directory))
        try:
            socket.unlink(missing_ok=True)  # A killed engine left it: the lock says nobody listens.
            asyncio.run(_serve(handler, socket))
            socket.unlink(missing_ok=True)
        finally:
            handler.close_all()


class _OneSyncACommand(NeoSQLiteHandler):  # type: ignore[misc]
    """Carries a write command out in one transaction.

    By itself the engine commits, and waits for the disk, once for each document that a command writes.
    """

    def handle_insert(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._transaction(message):
            answer: tuple[int, dict[str, Any]] = super().handle_insert(message)
        return answer

    def handle_command(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        is_write = not _WRITES.isdisjoint(_body(message))
        with self._transaction(message) if is_write else nullcontext():
            answer: tuple[int, dict[str, Any]] = super().handle_command(message)
        return answer

    @contextmanager
    def _transaction(self, message: dict[str, Any]) -> Iterator[None]:
        body = _body(message)
        with self._lock_for(body["$db"]):
            database = self.get_database(body["$db"])
            # How much is synced can't change within a transaction, where the engine would try to.
            self._apply_write_concern(database, body["$db"], body.get("writeConcern"))
            database.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                database.db.commit()
            except BaseException:
                database.db.rollback()
                raise


def _in_one_line(record: logging.LogRecord) -> bool:
    """What SQLite can't do, for want of room on the disk for instance, needs no traceback: whoever asked is told."""
    problem = record.exc_info[1] if record.exc_info else None
    if isinstance(problem, sqlite3.OperationalError):
        record.msg, record.args, record.exc_info = f"{record.getMessage()}: {problem}", (), None
    return True


def _body(message: dict[str, Any]) -> dict[str, Any]:
    return next(section for kind, section in message["sections"] if kind == "body")


def _die_with(parent: int) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # It ended before the signal was asked for.
        sys.exit("The server that started this engine is gone.")


def _hold(lock: IO[str], directory: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                _fail(EXIT_IN_USE, f"Another server uses {directory}: stop it, or use another directory.")
            time.sleep(_LOCK_PAUSE_S)
        else:
            return


def _stamp_sqlite(stamp: Path) -> None:
    """Accept a new directory, or one of the same minor version: others store documents differently."""
    running = sqlite3.sqlite_version
    if not stamp.exists():
        stamp.write_text(running)
    written = stamp.read_text()
    if written.split(".")[:2] != running.split(".")[:2]:
        _fail(
            EXIT_SQLITE_MISMATCH,
            f"{stamp.parent} was written with SQLite {written}, and this Python has {running}, which stores "
            "documents differently: use a Python with the former, or another directory.",
        )


def _fail(status: int, reason: str) -> None:
    sys.stderr.write(reason + "\n")
    sys.exit(status)


async def _serve(handler: NeoSQLiteHandler, socket: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Streams take a cancelled handler, which is how a stop ends it, for a fault, and log it.
        with suppress(asyncio.CancelledError):
            await handle_client(reader, writer, handler)

    server = await asyncio.start_unix_server(handle, socket, backlog=256)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Nobody reads further than READY.
    await stop.wait()
    server.close()


if __name__ == "__main__":
    main()
