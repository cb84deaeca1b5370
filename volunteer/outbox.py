"""Results on their way to the pool. None is dropped while the pool is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice

import orjson

from comp_pool import Backoff, PoolRefused, PoolUnavailable
from volunteer.calls import LEASE_LOST, LeasedTask, PoolCalls, Receipt, Report
from volunteer.events import Event, Judged, Lost, Waiting, Warned
from volunteer.identity import Identity

MOST_AT_ONCE = 100
MOST_BYTES = 4_000_000
GATHER_S = 0.02
TEMPORARY = frozenset({"UNAVAILABLE", "INTERNAL"})


class Outbox:
    """Posts reports in batches: those that are ready while one batch is under way make the next one."""

    def __init__(
        self,
        calls: PoolCalls,
        identity: Identity,
        tell: Callable[[Event], None],
        backoff: Backoff,
        settled: Callable[[LeasedTask], None],
    ) -> None:
        """`settled` is called for each task that needs nothing more, its report taken or not."""
        self._calls = calls
        self._identity = identity
        self._tell = tell
        self._backoff = backoff
        self._settled = settled
        self._reports: dict[str, Report] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._reports)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._reports

    def put(self, report: Report) -> None:
        self._reports[report.task.id] = report
        self._filled.set()

    async def post_for_ever(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER_S)
            await self.post_all()

    async def post_all(self) -> None:
        """Post what there is, again after each failure until the pool has answered."""
        while batch := self._batch():
            try:
                await self._post(batch)
            except PoolUnavailable as problem:
                wait_s = self._backoff.after_failure(problem.retry_after_s)
                self._tell(Waiting(str(problem), wait_s))
                await asyncio.sleep(wait_s)
            else:
                self._backoff.reset()
        self._filled.clear()

    def _batch(self) -> list[Report]:
        batch: list[Report] = []
        size = 0
        for report in islice(self._reports.values(), MOST_AT_ONCE):
            size += len(orjson.dumps(report.dump()))
            if batch and size > MOST_BYTES:
                break
            batch.append(report)
        return batch

    async def _post(self, batch: list[Report]) -> None:
        try:
            receipts = await self._calls.submit(self._identity.token, batch)
        except PoolRefused as refused:
            if len(batch) > 1:  # One of them spoils the call for all.
                for report in batch:
                    await self._post([report])
                return
            receipts = [Receipt(refusal=refused.refusal)]
        for report, receipt in zip(batch, receipts, strict=True):
            refusal = receipt.refusal
            if refusal is None:
                self._tell(Judged(report.task.job, receipt.verdict, receipt.reason))
                self._finish(report)
            elif refusal.code == LEASE_LOST or (refusal.code not in TEMPORARY and report.error):
                self._tell(Lost(report.task.job, refusal.message))
                self._finish(report)
            elif refusal.code not in TEMPORARY:
                self._tell(Warned(f"{report.task.job}: a result can't be taken: {refusal.message}"))
                self.put(Report(report.task, report.elapsed_ms, error=f"the result can't be taken: {refusal.message}"))
        if any(receipt.refusal and receipt.refusal.code in TEMPORARY for receipt in receipts):
            raise PoolUnavailable("some results can't be taken now")

    def _finish(self, report: Report) -> None:
        del self._reports[report.task.id]
        self._settled(report.task)
