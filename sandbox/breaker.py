"""The circuit breaker: an owner whose calls keep killing workers waits."""

import collections
from collections.abc import Callable


class CircuitBreaker:
    """Counts each owner's deaths within a window of time.

    After `deaths` of them the owner's circuit is open for `pause_s`. Then one call may try (half-open): if it
    survives the circuit closes, else it opens again.
    """

    def __init__(self, clock: Callable[[], float], deaths: int, window_s: float, pause_s: float) -> None:
        self._clock = clock
        self._deaths = deaths
        self._window_s = window_s
        self._pause_s = pause_s
        self._recent: dict[str, collections.deque[float]] = {}
        self._open_until: dict[str, float] = {}

    def wait_s(self, owner: str) -> float:
        """The time, in seconds, until this owner may call again: 0 for now."""
        return max(0.0, self._open_until.get(owner, 0.0) - self._clock())

    def died(self, owner: str) -> None:
        """A call of this owner's took its worker with it."""
        now = self._clock()
        self._forget(now - self._window_s)
        recent = self._recent.setdefault(owner, collections.deque(maxlen=self._deaths))
        recent.append(now)
        if owner in self._open_until or len(recent) == self._deaths:
            self._open_until[owner] = now + self._pause_s

    def survived(self, owner: str) -> None:
        """A call of this owner's left its worker alive."""
        # A call that began before the circuit opened says nothing against it.
        if owner in self._open_until and not self.wait_s(owner):
            del self._open_until[owner]
            self._recent.pop(owner, None)

    def _forget(self, before: float) -> None:
        for owner, recent in list(self._recent.items()):
            while recent and recent[0] < before:
                recent.popleft()
            if not recent and owner not in self._open_until:
                del self._recent[owner]
