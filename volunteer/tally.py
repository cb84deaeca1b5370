"""A volunteer's work in figures."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from volunteer.events import Claimed, Computed, Event, Judged, Lost, Released, Standing

WINDOW_S = 10.0


@dataclass(slots=True)
class Tally:
    """Counts of what a volunteer did so far."""

    claimed: int = 0
    computed: int = 0
    failed: int = 0
    lost: int = 0
    released: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    """Results by what the pool thought of them when they came."""
    standing: Standing | None = None
    began: float = field(default_factory=time.monotonic)
    _first_at: float = 0.0
    _last_at: float = 0.0
    _recent: deque[float] = field(default_factory=deque)

    def add(self, event: Event) -> None:
        match event:
            case Claimed(tasks):
                self.claimed += tasks
            case Computed(_, _, error):
                self.computed += 1
                self.failed += error is not None
                self._last_at = time.monotonic()
                self._first_at = self._first_at or self._last_at
                self._recent.append(self._last_at)
            case Judged(_, verdict, _):
                self.verdicts[verdict] += 1
            case Lost():
                self.lost += 1
            case Released(tasks):
                self.released += tasks
            case Standing():
                self.standing = event

    @property
    def submitted(self) -> int:
        """Results that the pool took."""
        return self.verdicts.total()

    @property
    def rate(self) -> float:
        """Tasks a second, over the last ten seconds."""
        now = time.monotonic()
        while self._recent and self._recent[0] < now - WINDOW_S:
            self._recent.popleft()
        return len(self._recent) / max(0.5, min(WINDOW_S, now - self.began))

    @property
    def mean_rate(self) -> float:
        """Tasks a second, from the first to the last one."""
        seconds = self._last_at - self._first_at
        return (self.computed - 1) / seconds if seconds else 0.0

    def summary(self) -> dict[str, Any]:
        """The figures as JSON."""
        seconds = time.monotonic() - self.began
        return {
            "claimed": self.claimed,
            "computed": self.computed,
            "failed": self.failed,
            "submitted": self.submitted,
            "lost": self.lost,
            "released": self.released,
            "verdicts": dict(sorted(self.verdicts.items())),
            "seconds": round(seconds, 3),
        }
