from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cachetools import TTLCache

from storage.deletable import ALL_MARKS, Deletable
from storage.document import Document
from storage.engines import Database, Index


class JobState(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class Review(StrEnum):
    """What the pool's operator thinks of a job."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(slots=True, kw_only=True)
class Job(Document):
    """Named code and its policy. Changes rarely: what moves is in the job's queues."""

    key: str
    name: str
    seq: str
    owner: str = ""
    """What its metadata says, in a pool without tokens; else the key of its account."""
    account: str = ""
    """The account that it was submitted by, or for; empty: nobody was known."""
    state: str = JobState.ACTIVE
    created_at: int
    updated_at: int
    execute_function: str
    execute_body: str
    """`execute_function` as the body of a function over `variable, context`: what legacy clients compile."""
    sha256: str
    validate_result: str = ""
    variable_scheduler: str = ""
    compare_results: str = ""
    metadata: str = "{}"
    policy: dict[str, Any] = field(default_factory=dict)
    request: str = ""
    """The mark of the request that made it, if that had an idempotency key."""
    scheduler_problem: str = ""
    """Why the variable scheduler fell back to random the last time, or empty."""
    review: str = Review.APPROVED
    """Its work is handed out, and its functions are called, while it is approved."""
    review_reason: str = ""
    """Why it was rejected, or empty."""

    @staticmethod
    def id_of(key: str) -> str:
        return f"job:{key}"


STALE_AFTER_S = 1.0


class Jobs(Deletable[Job]):
    """Jobs are read with every request and change rarely: `get` answers from a cache that is exact in the process
    that writes and at most one second stale in the others."""

    collection_name = "jobs"
    kind = Job
    indexes = (
        Index(("seq",)),
        Index(("state", "seq")),
        Index(("owner", "state", "seq")),
        Index(("account", "seq")),
        Index(("review", "seq")),
    )

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(database)
        self._cache: TTLCache[str, Job] = TTLCache(maxsize=10_000, ttl=STALE_AFTER_S, timer=clock)
        self._writes = 0

    async def get(self, document_id: str) -> Job | None:
        held = self._cache.get(document_id)
        if held is not None:
            return held
        writes = self._writes
        job = await super().get(document_id)
        # A write that came in while this read was under way may be newer than what was read.
        if job is not None and writes == self._writes:
            self._cache[document_id] = job
        return job

    async def by_key(self, key: str) -> Job | None:
        return await self.get(Job.id_of(key))

    async def reread(self, job: Job) -> Job | None:
        """The job as it is by now, whatever the cache holds."""
        self._forget([job.id])
        return await self.get(job.id)

    async def archived(self, ids: Collection[str]) -> list[str]:
        """Those of the ids whose jobs are archived."""
        if not ids:
            return []
        where = {"_id": {"$in": list(ids)}, "state": {"$eq": JobState.ARCHIVED}}
        return [each["_id"] for each in await self._collection.find(where, limit=len(ids), projection=["state"])]

    async def approve(self, ids: Collection[str], now: int) -> None:
        """PENDING -> APPROVED for those of the ids that wait."""
        where = {"_id": {"$in": list(ids)}, "review": {"$eq": Review.PENDING}}
        try:
            await self._collection.update_many(where, {"$set": {"review": Review.APPROVED, "updated_at": now}})
        finally:
            self._forget(ids)

    async def waiting_of(self, account: str, limit: int) -> list[Job]:
        """Jobs of an account that wait for approval."""
        return await self.page({"account": account, "review": Review.PENDING}, first=limit)

    async def of_account(self, account: str, limit: int) -> list[str]:
        """Ids of an account's jobs."""
        where = {"owner": {"$eq": account}, "account": {"$eq": account}, "seq": {"$gt": ALL_MARKS}}
        return [each["_id"] for each in await self._collection.find(where, limit=limit, projection=["seq"])]

    async def delete(self, ids: Collection[str], *, remove_at: int, **changes: Any) -> int:
        try:
            return await super().delete(ids, remove_at=remove_at, **changes)
        finally:
            self._forget(ids)

    async def set(self, document_id: str, changes: Mapping[str, Any]) -> bool:
        try:
            return await super().set(document_id, changes)
        finally:
            self._forget([document_id])

    def _forget(self, ids: Collection[str]) -> None:
        self._writes += 1
        for each in ids:
            self._cache.pop(each, None)
