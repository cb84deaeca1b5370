"""Which jobs may have work, as one process knows it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from storage.jobs import Job
from storage.queues import Lane, LaneKind, Lanes

STALE_AFTER_S = 1.0
USABLE_FOR_S = 5.0
MOST_LANES = 10_000
SMOOTHING = 0.2


class OpenLanes:
    """The open lanes, as they were a moment ago or after this process woke one."""

    def __init__(self, lanes: Lanes, now: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the lanes in `lanes`; `now` is the time in ms since the epoch, `clock` one in seconds for ages."""
        self._lanes = lanes
        self._now = now
        self._clock = clock
        self._known: dict[str, Lane] = {}
        self._read_at = float("-inf")
        self._wakes = 0
        self._observed: dict[str, list[float]] = defaultdict(list)

    async def snapshot(self, max_age_s: float = STALE_AFTER_S) -> list[Lane]:
        """The open lanes of at most `max_age_s` seconds ago.

        A claim makes do with `USABLE_FOR_S` as long as it finds work there: the sweeper looks more often.
        """
        if self._clock() - self._read_at >= max_age_s:
            read_at, wakes = self._clock(), self._wakes
            self._known = {lane.id: lane for lane in await self._lanes.open_lanes(MOST_LANES)}
            # A lane that was woken while this was read may be missing.
            self._read_at = read_at if wakes == self._wakes else float("-inf")
        return list(self._known.values())

    async def wake(self, ids: Iterable[str]) -> None:
        """Tasks of these lanes became ready. To be called after they are stored."""
        wanted = set(ids)
        if wanted:
            await self._lanes.wake(wanted, self._now())
            self._wakes += 1
            if not wanted <= self._known.keys():
                self._read_at = float("-inf")

    async def close(self, lane: Lane) -> None:
        """A search that began after `lane` was read found it empty."""
        if await self._lanes.close(lane.id, lane.wake):
            self._known.pop(lane.id, None)
        else:
            self._read_at = float("-inf")

    def observe(self, lane_id: str, elapsed_ms: float) -> None:
        """A task of the lane took this long. Kept until `flush`: an estimate is not worth a write a task."""
        self._observed[lane_id].append(elapsed_ms)

    async def flush(self) -> None:
        """Store what was observed, as exponential moving averages."""
        observed, self._observed = self._observed, defaultdict(list)
        for lane in (await self._lanes.get_many(observed)).values():
            times = observed[lane.id]
            mean = sum(times) / len(times)
            weight = 1 - (1 - SMOOTHING) ** len(times) if lane.run_ms else 1.0
            await self._lanes.set(lane.id, {"run_ms": round(lane.run_ms + weight * (mean - lane.run_ms), 3)})

    async def ensure(self, job: Job, kind: LaneKind) -> str:
        """The id of the job's lane of this kind, which exists from now on."""
        lane_id = Lane.id_of(job.key, kind)
        if lane_id not in self._known:
            lane = Lane(id=lane_id, job=job.key, kind=kind, owner=job.owner, oldest_at=self._now())
            await self._lanes.insert(lane)
        return lane_id

    async def pass_to(self, job: Job) -> None:
        """The job has another owner."""
        for kind in LaneKind:
            await self._lanes.set(Lane.id_of(job.key, kind), {"owner": job.owner})
        self._read_at = float("-inf")
