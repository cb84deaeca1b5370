"""How many subscriptions are open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from resolvers.errors import RateLimited
from resolvers.runtime import Runtime

RETRY_S = 30


class Subscriptions:
    """Those of this process, by address group. Each of them costs a look at the store now and then, or a wait."""

    def __init__(self, runtime: Runtime) -> None:
        self._limits = runtime.limits
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, group: str) -> Iterator[None]:
        """Count a subscription of an address group for as long as the block lasts. Raises RateLimited."""
        most, most_of_all = self._limits.address_subscriptions, self._limits.subscriptions
        if most and self._open[group] >= most:
            raise RateLimited(
                f"your network has {most:,} subscriptions open here, and may have no more: close some",
                retry_after_s=RETRY_S,
            )
        if most_of_all and self._open.total() >= most_of_all:
            raise RateLimited(
                f"this server has {most_of_all:,} subscriptions open, and takes no more: poll instead, or try again",
                retry_after_s=RETRY_S,
            )
        self._open[group] += 1
        try:
            yield
        finally:
            self._open[group] -= 1
            if not self._open[group]:
                del self._open[group]
