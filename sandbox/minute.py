"""What the code of one account may use of the sandbox in a minute, in all its requests and in what goes on without
one."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from sandbox.outcomes import FailureKind, Threw

MINUTE_S = 60


class Minute:
    """The processor time that was used in the last minute, to the second: a sliding window log, whose entries are the
    seconds in which something was used (https://en.wikipedia.org/wiki/Rate_limiting).
    """

    def __init__(self, limit_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            limit_s: seconds of processor time that may be used in a minute; 0: any number, which is counted all the
                same.
            clock: the time in seconds, of any origin.
        """
        self.limit_s = limit_s
        self._clock = clock
        self._seconds: deque[tuple[int, float]] = deque()

    @property
    def used_s(self) -> float:
        """The seconds that were used in the last minute."""
        self._forget()
        return sum(used for _, used in self._seconds)

    @property
    def refusal(self) -> Threw | None:
        """What comes of a call when nothing is left; None while something is."""
        wait_s = self.wait_s
        if not wait_s:
            return None
        message = f"not called: its account used up {self.limit_s:g} s of the sandbox in a minute"
        return Threw(f"{message}; try again in {wait_s} s", FailureKind.OVER_QUOTA, wait_s)

    @property
    def wait_s(self) -> int:
        """The seconds, at least 1, after which there is something left; 0: there is now."""
        excess = self.used_s - self.limit_s
        if not self.limit_s or excess < 0:
            return 0
        left = self._clock()
        for second, used in self._seconds:
            excess -= used
            if excess < 0:
                left = second + 1 + MINUTE_S
                break
        return max(1, math.ceil(left - self._clock()))

    def take(self, seconds: float) -> None:
        """Count processor time that was used just now."""
        now = int(self._clock())
        if seconds <= 0:
            return
        if self._seconds and self._seconds[-1][0] == now:
            seconds += self._seconds.pop()[1]
        self._seconds.append((now, seconds))

    def _forget(self) -> None:
        before = self._clock() - MINUTE_S
        while self._seconds and self._seconds[0][0] + 1 <= before:
            self._seconds.popleft()
