"""Room on the disk: what the pool takes while there is little of it."""

from __future__ import annotations

import math

from resolvers.errors import Unavailable
from resolvers.runtime import Runtime

KNOWN_FOR_S = 1.0
RETRY_S = 30


class Space:
    """The free space, as it was within the last second. New work ends first, so that the results of what is leased
    already have room."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._free = math.inf
        self._looked_at = -math.inf

    def free(self) -> float:
        """In bytes; infinite where nothing is watched."""
        now = self._runtime.seconds()
        if now - self._looked_at >= KNOWN_FOR_S:
            self._free, self._looked_at = self._runtime.free_bytes(), now
        return self._free

    @property
    def is_low(self) -> bool:
        return self.free() < self._runtime.limits.low_disk_bytes

    def check_for_work(self) -> None:
        """Raises Unavailable if there is no room for new work."""
        self._check(self._runtime.limits.low_disk_bytes, "new work is taken and handed out again")

    def check_for_results(self) -> None:
        """Raises Unavailable if there is no room for results either."""
        self._check(self._runtime.limits.full_disk_bytes, "results are taken again")

    def _check(self, least: int, what: str) -> None:
        if self.free() < least:
            raise Unavailable(
                f"the pool's disk is nearly full: {self._free / 1e6:,.0f} MB are free, and {what} from "
                f"{least / 1e6:,.0f} MB on; keep what you have, and try again",
                retry_after_s=RETRY_S,
            )
