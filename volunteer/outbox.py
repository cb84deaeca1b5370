"""Results on their way to the pool. None is dropped while its lease or the pool can still take it.

`tests/pool_answers.json` holds what becomes of reports for each answer that a pool, or a proxy before it, may give.
`client/volunteer/outbox.js` keeps the same rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import orjson

from comp_pool import ErrorCode, PoolError, PoolRefused, PoolUnavailable, Refusal
from comp_pool.errors import UNNAMED
from comp_pool.schema import REQUEST_BYTES, RESULTS_PER_CALL, TEMPORARY
from volunteer.asking import Asking
from volunteer.calls import LeasedTask, PoolCalls, Receipt, Report
from volunteer.events import Event, Judged, Lost, Warned
from volunteer.identity import Identity

MOST_BYTES = REQUEST_BYTES // 8
GATHER_S = 0.02
LATER = TEMPORARY | {ErrorCode.FORBIDDEN, ErrorCode.QUOTA}
"""The report may be taken when it is made again."""
GONE = frozenset({ErrorCode.LEASE_LOST, ErrorCode.NOT_FOUND, ErrorCode.UNAUTHENTICATED})
"""The task is not this host's any more, or the host not the pool's: no report of it is ever taken."""


class Outbox:
    """Posts reports in batches: those that are ready while a batch is under way make the next one."""

    def __init__(
        self,
        calls: PoolCalls,
        identity: Identity,
        tell: Callable[[Event], None],
        asking: Asking,
        settled: Callable[[LeasedTask], None],
    ) -> None:
        """`settled` is called for each task that needs nothing more, its report taken or not."""
        self._calls = calls
        self._identity = identity
        self._tell = tell
        self._asking = asking
        self._backoff = asking.backoff()
        self._settled = settled
        self._reports: dict[str, Report] = {}
        self._most = RESULTS_PER_CALL
        self._suspects: set[str] = set()
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
            except PoolError as problem:
                self._put_off(batch)
                await self._asking.wait(problem, self._backoff)
            else:
                self._asking.note_answer(self._backoff)
        self._filled.clear()

    def _batch(self) -> list[Report]:
        batch: list[Report] = []
        size = 0
        for report in islice(self._reports.values(), self._most):
            size += len(orjson.dumps(report.dump()))
            if batch and size > MOST_BYTES:
                break
            batch.append(report)
        return batch

    async def _post(self, batch: Sequence[Report]) -> None:
        """Raises PoolError if some of the batch has to wait."""
        try:
            receipts = await self._calls.submit(self._identity.token, batch)
        except PoolRefused as refused:
            code = refused.refusal.code
            if _may_be_taken_later(refused.refusal):
                raise
            if len(batch) > 1 and code not in GONE:
                self._halve(batch)  # One of them spoils the call for all.
            elif code == UNNAMED:
                await self._post_stand_in(batch[0], refused)
            else:
                self._settle(batch, [Receipt(refusal=refused.refusal)] * len(batch))
        else:
            self._most = min(2 * self._most, RESULTS_PER_CALL)
            self._settle(batch, receipts)

    async def _post_stand_in(self, report: Report, refused: PoolRefused) -> None:
        """Post an error in the place of a result that made the call fail twice. If that fails alike, it is not the
        result's fault, which is kept. Raises PoolError if the result has to wait."""
        if report.task.id not in self._suspects:
            self._suspects.add(report.task.id)
            raise refused
        self._suspects.discard(report.task.id)
        stand_in = _stand_in(report, str(refused))
        try:
            receipts = await self._calls.submit(self._identity.token, [stand_in])
        except PoolRefused as again:
            if again.refusal.code == UNNAMED or _may_be_taken_later(again.refusal):
                raise
            receipts = [Receipt(refusal=again.refusal)]
        self._tell(Warned(f"{report.task.job}: a result can't be taken: {refused}"))
        self._settle([stand_in], receipts)

    def _settle(self, batch: Sequence[Report], receipts: Sequence[Receipt]) -> None:
        """Draw the consequences of the pool's answers. Raises PoolUnavailable if some of the batch has to wait."""
        later: list[Refusal] = []
        for report, receipt in zip(batch, receipts, strict=True):
            refusal = receipt.refusal
            if refusal is None:
                self._tell(Judged(report.task.job, receipt.verdict, receipt.reason))
                self._finish(report)
            elif _may_be_taken_later(refusal):
                later.append(refusal)
            elif refusal.code in GONE or report.error is not None:
                self._tell(Lost(report.task.job, refusal.message))
                self._finish(report)
            else:
                self._tell(Warned(f"{report.task.job}: a result can't be taken: {refusal.message}"))
                self.put(_stand_in(report, refusal.message))
        if later:
            wait_s = max(refusal.retry_after_s for refusal in later)
            raise PoolUnavailable(f"{len(later)} results can't be taken now", retry_after_s=wait_s)

    def _put_off(self, batch: Sequence[Report]) -> None:
        """Let others go first, and try fewer at a time: one of the batch may be what makes the call fail."""
        self._halve(batch)
        for report in batch:
            if report.task.id in self._reports:
                self.put(self._reports.pop(report.task.id))

    def _halve(self, batch: Sequence[Report]) -> None:
        self._most = max(1, len(batch) // 2)

    def _finish(self, report: Report) -> None:
        del self._reports[report.task.id]
        self._suspects.discard(report.task.id)
        self._settled(report.task)


def _may_be_taken_later(refusal: Refusal) -> bool:
    # Volunteering takes no token: one that is refused says nothing of the task.
    return refusal.code in LATER or refusal.is_of_the_token


def _stand_in(report: Report, why: str) -> Report:
    """What the job's owner learns instead of the result."""
    return replace(report, value=None, context=None, error=f"the result can't be taken: {why}")
