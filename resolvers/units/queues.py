"""Which jobs may have work, as one process knows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from resolvers.runtime import Runtime
from resolvers.units.kinds import UnitKind, UnitKinds
from storage import Job, Queue

STALE_AFTER_S = 1.0
USABLE_FOR_S = 5.0
MOST_QUEUES = 10_000
SMOOTHING = 0.2


class OpenQueues:
    """The open queues, as they were a moment ago or after this process woke one."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._queues = runtime.store.queues
        self._known: dict[str, Queue] = {}
        self._read_at = float("-inf")
        self._wakes = 0
        self._observed: dict[str, list[float]] = defaultdict(list)

    async def snapshot(self, max_age_s: float = STALE_AFTER_S) -> list[Queue]:
        """The open queues of at most `max_age_s` seconds ago.

        A claim makes do with `USABLE_FOR_S` as long as it finds work there: the sweeper looks more often.
        """
        if self._runtime.seconds() - self._read_at >= max_age_s:
            read_at, wakes = self._runtime.seconds(), self._wakes
            self._known = {queue.id: queue for queue in await self._queues.open_queues(MOST_QUEUES)}
            # A queue that was woken while this was read may be missing.
            self._read_at = read_at if wakes == self._wakes else float("-inf")
        return list(self._known.values())

    async def wake(self, ids: Iterable[str]) -> None:
        """Tasks of these queues became ready. To be called after they are stored."""
        wanted = set(ids)
        if wanted:
            await self._queues.wake(wanted, self._runtime.now())
            self._wakes += 1
            if not wanted <= self._known.keys():
                self._read_at = float("-inf")

    async def close(self, queue: Queue) -> None:
        """A search that began after `queue` was read found it empty."""
        if await self._queues.close(queue.id, queue.wake):
            self._known.pop(queue.id, None)
        else:
            self._read_at = float("-inf")

    def observe(self, queue_id: str, elapsed_ms: float) -> None:
        """A task of the queue took this long. Kept until `flush`: an estimate is not worth a write a task."""
        self._observed[queue_id].append(elapsed_ms)

    async def flush(self) -> None:
        """Store what was observed, as exponential moving averages."""
        observed, self._observed = self._observed, defaultdict(list)
        for queue in (await self._queues.get_many(observed)).values():
            times = observed[queue.id]
            mean = sum(times) / len(times)
            weight = 1 - (1 - SMOOTHING) ** len(times) if queue.run_ms else 1.0
            await self._queues.set(queue.id, {"run_ms": round(queue.run_ms + weight * (mean - queue.run_ms), 3)})

    async def ensure(self, job: Job, kind: UnitKind) -> str:
        """The id of the job's queue of this kind, which exists from now on."""
        queue_id = kind.queue_of(job.key)
        if queue_id not in self._known:
            queue = Queue(id=queue_id, job=job.key, kind=kind.queues, owner=job.owner, oldest_at=self._runtime.now())
            await self._queues.insert(queue)
        return queue_id

    async def pass_to(self, job: Job) -> None:
        """The job has another owner."""
        for kind in self._runtime.part(UnitKinds):
            await self._queues.set(kind.queue_of(job.key), {"owner": job.owner})
        self._read_at = float("-inf")
