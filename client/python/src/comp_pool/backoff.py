"""How long to wait before asking again."""

from __future__ import annotations

import random

SHORTEST_S = 0.05


class Backoff:
    """Exponential back-off with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/):
    clients that were turned away together don't come back together."""

    def __init__(self, *, first_s: float = 0.5, longest_s: float = 30.0) -> None:
        """Wait up to `first_s` seconds after a first failure, and never longer than `longest_s`."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._random = random.Random()

    def after_failure(self, hint_s: float = 0.0) -> float:
        """Seconds to wait after one more failure, at which the other side asked for `hint_s` seconds."""
        ceiling = max(hint_s, self._first_s) * 2**self._failures
        if ceiling < self._longest_s:
            self._failures += 1
        return self._within(ceiling)

    def when_idle(self, hint_s: float) -> float:
        """Seconds to wait where nothing failed, and the other side asked to come back in about `hint_s` seconds."""
        self.reset()
        return self._within(2 * hint_s)

    def reset(self) -> None:
        """Forget the failures: a call went well."""
        self._failures = 0

    def _within(self, ceiling_s: float) -> float:
        return max(SHORTEST_S, self._random.uniform(0, min(ceiling_s, self._longest_s)))
