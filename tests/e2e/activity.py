"""A client that watches the pool over a connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.transports import Subscribe

ACTIVITY = """subscription Activity($after: String) {
  poolActivity(after: $after) { cursor hosts activeHosts tasks { ready leased reported } }
}"""


@dataclass(slots=True)
class PoolDashboard:
    """What a client makes of what it is told of the pool."""

    url: str
    cursor: str | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    deltas: list[dict[str, Any]] = field(default_factory=list)

    async def follow(self, transport: Subscribe, enough: Callable[[], bool]) -> None:
        """Watch, from where it was, until it has seen enough."""
        async with aclosing(transport(self.url, ACTIVITY, after=self.cursor)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                delta = answer["poolActivity"]
                self.cursor = delta.pop("cursor")
                self.deltas.append({name: count for name, count in delta.items() if count is not None})
                self.counts |= self.deltas[-1]
                if enough():
                    return
