"""How long to wait before asking again."""

from __future__ import annotations

import random

SHORTEST_S = 0.05
LONGEST_HINT_S = 3_600.0
"""An answer may ask for any wait; a client that is told to come back next year looks in before."""


class Backoff:
    """Exponential back-off with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/):
    clients that were turned away together don't come back together."""

    def __init__(self, *, first_s: float = 0.5, longest_s: float = 30.0) -> None:
        """
        Args:
            first_s: the longest wait after a first failure, in seconds; it doubles with each further one.
            longest_s: the longest wait of all, in seconds, where nobody asks for a longer one.
        """
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._random = random.Random()

    def after_failure(self, hint_s: float = 0.0) -> float:
        """Count one more failure.

        Args:
            hint_s: the seconds that the other side asked to be left alone for (`Retry-After`), up to an hour.

        Returns:
            The seconds to wait: never fewer than were asked for.
        """
        ceiling = self._first_s * 2**self._failures
        if ceiling < self._longest_s:
            self._failures += 1
        return min(hint_s, LONGEST_HINT_S) + self._within(ceiling)

    def when_idle(self, hint_s: float) -> float:
        """Forget the failures: nothing failed, there is nothing to do.

        Args:
            hint_s: the seconds in about which the other side asked to be asked again.

        Returns:
            The seconds to wait: about as many, on average.
        """
        self.reset()
        return self._within(2 * hint_s)

    def reset(self) -> None:
        """Forget the failures: a call went well."""
        self._failures = 0

    def _within(self, ceiling_s: float) -> float:
        return max(SHORTEST_S, self._random.uniform(0, min(ceiling_s, self._longest_s)))
