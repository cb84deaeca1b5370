"""How many tasks a volunteer asks for at once."""

from __future__ import annotations

import math

from comp_pool.schema import TASKS_PER_CLAIM

BATCH_S = 2.0
WEIGHT = 0.2


class Pace:
    """Learns how long tasks take. `batch` tasks take about two seconds, and grow slowly: others want some too."""

    def __init__(self, concurrency: int) -> None:
        self.batch = concurrency
        self._concurrency = concurrency
        self._task_s = 0.0

    def learn(self, task_s: float) -> None:
        """A task took so many seconds."""
        self._task_s += (task_s - self._task_s) * (WEIGHT if self._task_s else 1)
        ideal = math.ceil(BATCH_S * self._concurrency / max(self._task_s, 0.001))
        self.batch = min(2 * self.batch, max(self._concurrency, ideal), TASKS_PER_CLAIM)
