"""The pool's clock: the database's own, as near as a process can know it, since the machines of several processes may
disagree."""

import logging
import time
from collections.abc import Awaitable, Callable

import uuid_utils

log = logging.getLogger(__name__)

TOLERATED_MS = 250
"""By how much a process may differ from the database: less than a busy machine makes of it, and than revisions bear."""

TIME_DIGITS = 12
"""How many hexadecimal digits of a revision are its time (ms since the epoch): RFC 9562, section 5.7."""


def revision_at(milliseconds: int) -> str:
    """The lowest revision of a moment (ms since the epoch)."""
    return f"{max(0, milliseconds):0{TIME_DIGITS}x}" + "0" * (32 - TIME_DIGITS)


def time_of(revision: str) -> int:
    """When a revision was made, in ms since the epoch."""
    return int(revision[:TIME_DIGITS], 16)


class Clock:
    """The time in ms since the epoch, and revisions that sort by it.

    A database that tells no time leaves the machine's own clock.
    """

    def __init__(self) -> None:
        self._ahead_ms = 0

    def now(self) -> int:
        """The time in ms since the epoch."""
        return _of_machine() + self._ahead_ms

    def revision(self) -> str:
        """A unique text that sorts by the time it was made (UUIDv7, RFC 9562); of one process the later after the
        earlier, unless its clock is set meanwhile."""
        plain = uuid_utils.uuid7().hex
        if not self._ahead_ms:
            return plain
        return revision_at(time_of(plain) + self._ahead_ms)[:TIME_DIGITS] + plain[TIME_DIGITS:]

    async def set_by(self, tell: Callable[[], Awaitable[int]]) -> bool:
        """Go by what the database tells (ms since the epoch); whether its answer came quickly enough to rely on.

        It told the time in the middle between question and answer, give or take half of what lies between (Cristian,
        Probabilistic clock synchronization, 1989). A slow answer sets only a clock that is wrong by more than that.
        """
        asked_ms = _of_machine()
        told_ms = await tell()
        took_ms = _of_machine() - asked_ms
        ahead_ms = told_ms - asked_ms - took_ms // 2
        if abs(ahead_ms - self._ahead_ms) > max(TOLERATED_MS, took_ms // 2):
            log.warning("the database's clock is %+.1f s from this machine's: the pool goes by it", ahead_ms / 1000)
            self._ahead_ms = ahead_ms
        return took_ms <= TOLERATED_MS


def _of_machine() -> int:
    return time.time_ns() // 1_000_000
