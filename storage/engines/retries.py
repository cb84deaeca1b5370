"""One answer to a database that is away for a moment: try again until a deadline."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import AutoReconnect, CursorNotFound, PyMongoError

PATIENCE_S = 10.0
"""How long an operation waits for a database that does not answer, in seconds. A restart of the embedded
engine takes about one."""

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_FULL = re.compile("disk is full|disk I/O error|No space left on device|available disk space")
"""What SQLite (https://www.sqlite.org/rescode.html#full) and MongoDB say of a disk without room."""
_DRIVERS_VIEW = re.compile(r" \(configured timeouts:|, Timeout: [0-9.]+s, Topology")

_Answer = TypeVar("_Answer")


class StorageUnavailable(Exception):
    """The database did not answer for `PATIENCE_S` seconds; it may have carried the operation out."""


class StorageFull(StorageUnavailable):
    """The database's disk is full: nothing was stored, and the same may work once there is room."""


async def until_answered(operation: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Carry out `operation`, again after each lost connection, for up to `PATIENCE_S` seconds.

    An operation whose reply was lost may have been carried out already, so it must bear to run twice.

    Raises:
        StorageUnavailable: no try was answered in time.
        StorageFull: there is no room on the database's disk.
    """
    deadline = time.monotonic() + PATIENCE_S
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await operation()
        except (AutoReconnect, CursorNotFound) as lost:
            if time.monotonic() + pause > deadline:
                raise StorageUnavailable(f"The database did not answer for {PATIENCE_S:g} s: {_reason(lost)}") from lost
        except PyMongoError as refused:
            if _FULL.search(str(refused)):
                raise StorageFull("The database's disk is full.") from refused
            raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _reason(lost: Exception) -> str:
    """What happened, without the driver's settings and its view of the servers, which it appends."""
    return _DRIVERS_VIEW.split(str(lost), maxsplit=1)[0]
