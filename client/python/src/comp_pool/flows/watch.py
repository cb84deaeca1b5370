"""Watching a flow until it ends, over lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from comp_pool.client import PoolClient
from comp_pool.errors import PoolUnavailable

PAUSE_S = 1.0

DELTAS = """
subscription ($id: ID!, $after: String) {
  flowProgress(id: $id, after: $after) {
    cursor state generation reset
    progress { total fraction throughput etaSeconds
      byState { waiting queued running completed failed skipped cancelled } }
    changed { number state iteration }
    flow { key name reason result whyWaiting { kind message count } }
  }
}
"""
TREE = "query ($key: String!) { flow(key: $key) { tree } }"


@dataclass(frozen=True, slots=True)
class FlowUpdate:
    """What changed in a flow.

    Attributes:
        delta: an event of `flowProgress`, as the pool sent it.
        tree: the whole tree, if the deltas before don't add up to it; otherwise None.
    """

    delta: dict[str, Any]
    tree: dict[str, Any] | None


async def watch_flow(
    client: PoolClient,
    key: str,
    *,
    patience_s: float = 60.0,
    lost: Callable[[PoolUnavailable], object] = lambda _: None,
) -> AsyncIterator[FlowUpdate]:
    """Yield the updates of a flow, the last one when it has ended. A lost connection is taken up again at its cursor.

    Args:
        client: the pool.
        key: the flow's key.
        patience_s: how long the pool may be away, in seconds.
        lost: called with the reason when the connection is lost.

    Raises:
        PoolUnavailable: the pool is away for longer than that.
        PoolRefused: there is no such flow.
        NotAPool: something else answers at the address.
    """
    after: str | None = None
    away_since: float | None = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            async for answer in client.subscribe(DELTAS, id=key, after=after):
                away_since = None
                delta = answer["flowProgress"]
                after = delta["cursor"]
                tree = (await client.call(TREE, key=delta["flow"]["key"]))["flow"]["tree"] if delta["reset"] else None
                yield FlowUpdate(delta, tree)
            return
        except PoolUnavailable as problem:
            if away_since is None:
                away_since = loop.time()
                lost(problem)
            if loop.time() - away_since > patience_s:
                raise
            await asyncio.sleep(PAUSE_S)
