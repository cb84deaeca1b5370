"""How many tasks were claimed lately in the order of each job scheduler."""

from __future__ import annotations

from collections import Counter

from resolvers.runtime import Runtime

WINDOW_S = 60


class ClaimCounts:
    """A tally of this server process, by second."""

    def __init__(self, runtime: Runtime) -> None:
        self._now = runtime.now
        self._by_second: dict[int, Counter[str]] = {}

    def note(self, scheduler: str, tasks: int) -> None:
        """`tasks` were claimed in the order of a scheduler."""
        self._forget()
        self._by_second.setdefault(self._now() // 1000, Counter())[scheduler] += tasks

    def last_minute(self) -> dict[str, int]:
        """Tasks by scheduler of the last 60 seconds."""
        self._forget()
        return dict(sum(self._by_second.values(), Counter[str]()))

    def _forget(self) -> None:
        start = self._now() // 1000 - WINDOW_S
        self._by_second = {second: counts for second, counts in self._by_second.items() if second > start}
