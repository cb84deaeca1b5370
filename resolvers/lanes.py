"""Which jobs may have work, as one process knows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from storage.documents import Job, Lane, LaneKind
from storage.lanes import Lanes

STALE_AFTER_S = 1.0
MOST_LANES = 10_000
SMOOTHING = 0.2


class OpenLanes:
    """The open lanes, read from the store at most once a second, and at once after this process woke one."""

    def __init__(self, lanes: Lanes, clock: Callable[[], float] = time.monotonic) -> None:
        self._lanes = lanes
        self._clock = clock
        self._known: dict[str, Lane] = {}
        self._read_at = float("-inf")
        self._observed_at: dict[str, float] = {}

    async def snapshot(self) -> list[Lane]:
        if self._clock() - self._read_at >= STALE_AFTER_S:
            read_at = self._clock()
            self._known = {lane.id: lane for lane in await self._lanes.open_lanes(MOST_LANES)}
            self._read_at = read_at
        return list(self._known.values())

    async def wake(self, ids: Iterable[str]) -> None:
        """Tasks of these lanes became ready. To be called after they are stored."""
        wanted = set(ids)
        if wanted:
            await self._lanes.wake(wanted)
            self._read_at = float("-inf")

    async def close(self, lane: Lane) -> None:
        """A search that began after `lane` was read found it empty."""
        if await self._lanes.close(lane.id, lane.wake):
            self._known.pop(lane.id, None)
        else:
            self._read_at = float("-inf")

    async def observe(self, lane_id: str, elapsed_ms: float) -> None:
        """A task of the lane took this long. At most one write a second and lane: an estimate needs no more."""
        now = self._clock()
        if now - self._observed_at.get(lane_id, float("-inf")) < STALE_AFTER_S:
            return
        self._observed_at[lane_id] = now
        known = self._known.get(lane_id) or await self._lanes.get(lane_id)
        if known is None:
            return
        mean = float(elapsed_ms) if not known.run_ms else known.run_ms + SMOOTHING * (elapsed_ms - known.run_ms)
        await self._lanes.set(lane_id, {"run_ms": mean})
        if lane_id in self._known:
            self._known[lane_id] = replace(known, run_ms=mean)

    async def ensure(self, job: Job, kind: LaneKind, now: int) -> str:
        """The id of the job's lane of this kind, which exists from now on."""
        lane_id = Lane.id_of(job.key, kind)
        if lane_id not in self._known:
            lane = Lane(id=lane_id, job=job.key, kind=kind, owner=job.owner, oldest_at=now)
            await self._lanes.insert(lane)
        return lane_id
