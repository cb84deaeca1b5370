from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from storage.document import Document
from storage.engines import Index
from storage.repository import Repository

NEVER = 2**53
"""Later than any time in milliseconds."""


@dataclass(slots=True, kw_only=True)
class Queue(Document):
    """The queue of one job's tasks of one kind, and whether it may hold ready ones.

    `open` is set whenever a task becomes ready, after the task is stored, and `wake` counts those times. A claim
    that finds nothing closes the queue only while `wake` is what it was before it looked, so that no task is
    ever ready behind a closed queue.
    """

    job: str
    kind: str
    owner: str = ""
    open: bool = True
    wake: int = 1
    oldest_at: int
    """Since when it has work, in ms; of a closed one later than any time."""
    run_ms: float = 0.0
    """Observed run time of the job (exponential moving average), 0 where nothing is known."""

    @staticmethod
    def id_of(job: str, kind: str) -> str:
        return f"lane:{kind}:{job}"

    @staticmethod
    def job_of(queue_id: str) -> str:
        return queue_id.split(":", 2)[2]


class Queues(Repository[Queue]):
    collection_name = "lanes"  # Stored under this name since the first version.
    kind = Queue
    indexes = (Index(("open", "oldest_at")),)

    async def open_queues(self, limit: int) -> list[Queue]:
        """Queues that may hold ready tasks, the oldest first."""
        stored = await self._collection.find({"open": {"$eq": True}}, sort=[("oldest_at", 1)], limit=limit)
        return [Queue.load(each) for each in stored]

    async def wake(self, ids: Collection[str], now: int) -> None:
        """Say that tasks of these queues became ready; to be called after the tasks are stored."""
        await self._collection.update_many(
            {"_id": {"$in": list(ids)}},
            {"$set": {"open": True}, "$inc": {"wake": 1}, "$min": {"oldest_at": now}},
        )

    async def close(self, queue_id: str, wake: int) -> bool:
        """Say that the queue is empty, unless it was woken since it had the count `wake`."""
        return await self._collection.update_one(
            {"_id": queue_id, "wake": {"$eq": wake}}, {"$set": {"open": False, "oldest_at": NEVER}}
        )
