"""How many tasks each job scheduler handed out lately."""

from __future__ import annotations

from collections import Counter

WINDOW_S = 60


class Handouts:
    """A tally of this server process, by second."""

    def __init__(self) -> None:
        self._by_second: dict[int, Counter[str]] = {}

    def note(self, scheduler: str, tasks: int, now: int) -> None:
        """`tasks` were handed out in the order of a scheduler. `now`: ms since the epoch."""
        self._forget(now)
        self._by_second.setdefault(now // 1000, Counter())[scheduler] += tasks

    def last_minute(self, now: int) -> dict[str, int]:
        """Tasks by scheduler of the 60 seconds before `now` (ms since the epoch)."""
        self._forget(now)
        total: Counter[str] = Counter()
        for counts in self._by_second.values():
            total += counts
        return dict(total)

    def _forget(self, now: int) -> None:
        for second in [each for each in self._by_second if each <= now // 1000 - WINDOW_S]:
            del self._by_second[second]
