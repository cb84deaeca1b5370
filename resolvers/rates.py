"""How often something may be done: sliding windows, counted in this process's memory.

The window before the present one counts by the part of it that the last seconds overlap (the `limits` package calls it
https://limits.readthedocs.io/en/stable/strategies.html#sliding-window-counter), so that two numbers are enough for each
key.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from cachetools import LRUCache
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from resolvers.errors import RateLimited

MOST_KEYS = 100_000
"""Who was not heard of for the longest time is forgotten first."""


class Rate(RateLimitItemPerSecond):
    """At most `amount` in any so many seconds; its `name` keeps its counts apart from those of other rates."""

    def __init__(self, name: str, amount: int, seconds: int) -> None:
        super().__init__(amount, seconds, namespace=name)

    def key_for(self, *identifiers: object) -> str:
        # That of `limits` takes as long as all the rest.
        return f"{self.namespace}/{identifiers[0]}"


class Rates:
    """Counts what each address, host or token does."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._windows = _Windows(seconds)
        self._limiter = SlidingWindowCounterRateLimiter(self._windows)

    def wait_s(self, rate: Rate, who: str, *, cost: int = 1) -> int:
        """Count something that `who` does, and return 0; or, where that is too often, count nothing and return the
        seconds after which it is not."""
        if self._limiter.hit(rate, who, cost=cost):
            return 0
        return self._windows.seconds_until(rate, who, cost)

    def has_room(self, rate: Rate, who: str) -> bool:
        """Whether `who` may do it once more, which is not counted."""
        return self._limiter.test(rate, who)

    def check(self, rate: Rate, who: str, *, what: str) -> None:
        """Count something that `who` does.

        Args:
            what: the plural of what is counted, for the message.

        Raises RateLimited.
        """
        if wait_s := self.wait_s(rate, who):
            raise self.refusal(rate, wait_s, what)

    def refusal(self, rate: Rate, wait_s: int, what: str) -> RateLimited:
        return RateLimited(
            f"too many {what}: at most {rate.amount:,} in {rate.get_expiry():,} s are taken; try again in {wait_s:,} s",
            retry_after_s=wait_s,
        )

    def wait_for_room(self, rate: Rate, who: str) -> int:
        """The seconds after which `who` may do it once more."""
        return self._windows.seconds_until(rate, who, 1)


class _Windows(MemoryStorage):
    """The storage of `limits`, with a clock of ours and a bound. Its own looks through all of its keys a hundred times
    a second."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__()
        self._seconds = seconds
        self._counts: LRUCache[str, tuple[int, int, int]] = LRUCache(MOST_KEYS)
        """The number of the present window, and the counts of that and of the one before."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        number, passed = divmod(self._seconds(), expiry)
        current, previous = self._in(key, int(number))
        if previous * (1 - passed / expiry) + current + amount > limit:
            return False
        self._counts[key] = int(number), current + amount, previous
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        number, passed = divmod(self._seconds(), expiry)
        current, previous = self._in(key, int(number))
        return previous, expiry - passed, current, 2 * expiry - passed

    def _in(self, key: str, number: int) -> tuple[int, int]:
        known, current, previous = self._counts.get(key, (number, 0, 0))
        if known == number:
            return current, previous
        return 0, current if known == number - 1 else 0

    def seconds_until(self, rate: Rate, who: str, amount: int) -> int:
        """When there is room for `amount`, in whole seconds, at least one."""
        expiry = rate.get_expiry()
        previous, left, current, _ = self.get_sliding_window(rate.key_for(who), expiry)
        room = rate.amount - amount
        if current > room:  # Only the next window has room, once enough of this one has left.
            wait = left + expiry * (1 - max(room, 0) / current)
        else:
            wait = left - expiry * (room - current) / previous if previous else 0.0
        return max(1, math.ceil(wait))
