"""The loop of a volunteer: claim, compute, report, and start again."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from comp_pool import Backoff, ErrorCode, PoolClient, PoolError, PoolRefused
from comp_pool.schema import WhyNoWork
from sandbox import VOLUNTEER, Sandbox
from volunteer.asking import Asking
from volunteer.calls import Claim, LeasedTask, PoolCalls, Report
from volunteer.computing import MachineBusy, Tamper, compute, is_genuine
from volunteer.events import Claimed, Computed, Event, Lost, Warned
from volunteer.identity import Identity
from volunteer.leases import Leases
from volunteer.options import DEFAULT, Options
from volunteer.outbox import Outbox
from volunteer.pace import Pace

LAST_POST_S = 10.0
STANDING_S = 2.0


class Volunteer:
    """One host at work. It runs once."""

    def __init__(
        self,
        client: PoolClient,
        identity: Identity,
        options: Options = DEFAULT,
        *,
        tell: Callable[[Event], None] = lambda _: None,
        tamper: Tamper | None = None,
    ) -> None:
        """`tell` hears of every event. `tamper` makes it a host that cheats."""
        self._calls = PoolCalls(client, tell)
        self._asking = Asking(tell, longest_wait_s=options.longest_wait_s)
        self._identity = identity
        self._options = options
        self._tell = tell
        self._tamper = tamper
        self._leases = Leases(self._calls, tell, self._asking, self._lose)
        self._queue: asyncio.Queue[LeasedTask] = asyncio.Queue()
        self._computing: dict[str, asyncio.Task[Report]] = {}
        self._sources: dict[tuple[str, str], str] = {}
        self._changed = asyncio.Event()
        self._claiming: asyncio.Task[Claim] | None = None
        self._claimed = 0
        self._pace = Pace(options.concurrency)
        self._outbox = Outbox(self._calls, identity, tell, self._asking, self._drop)

    async def run(self, stop: asyncio.Event) -> None:
        """Compute until `stop` is set or the options' end is reached; then post what is computed and release the rest.

        A pool that is away is waited for.

        Raises:
            PoolRefused: the pool refuses to give work, and will again: it has no such scheduler, for instance.
            NotAPool: there was never a pool at this address, as far as this run knows.
        """
        workers = self._options.concurrency
        # A job that kills its process is reported as failed: there is no reason to avoid the next one.
        async with Sandbox(workers=workers, spares=0, limits=VOLUNTEER, deaths=sys.maxsize) as sandbox:
            try:
                await self._work(sandbox, stop)
            finally:
                await self._leave()

    async def _work(self, sandbox: Sandbox, stop: asyncio.Event) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                slots = [self._compute_for_ever(sandbox, f"slot {n}") for n in range(self._options.concurrency)]
                chores = [*slots, self._outbox.post_for_ever(), self._leases.beat_for_ever(), self._watch_standing()]
                ends = [self._claim_until_done(), stop.wait()]
                running, ending = ([group.create_task(each) for each in some] for some in (chores, ends))
                await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
                for task in (*running, *ending):
                    task.cancel()
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from problems

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(LAST_POST_S):
                await self._outbox.post_all()
                await self._hear_last_claim()
                await self._leases.release_all()
                await self._tell_standing()
        except (TimeoutError, PoolError):
            if self._outbox or self._leases:
                counts = f"{len(self._outbox)} results and {len(self._leases)} leases"
                self._tell(Warned(f"the pool is away: {counts} are lost"))
        finally:
            if self._claiming:
                self._claiming.cancel()

    async def _claim_until_done(self) -> None:
        backoff = self._asking.backoff()
        while self._left > 0:
            await self._until(lambda: self._queue.qsize() <= self._pace.batch // 2)
            first = int(min(max(1, self._pace.batch - self._queue.qsize()), self._left))
            wanted = {**self._options.wanted, "first": first, "idempotencyKey": uuid4().hex}
            claim = await self._asking.until_answered(partial(self._claim, wanted, itertools.count()), backoff)
            if claim.tasks:
                await self._queue_genuine(claim.tasks, backoff)
            elif claim.why_no_work == WhyNoWork.BLOCKED:
                self._tell(Warned("the pool's operator has blocked this host, or its network: it gets no work"))
                self._leases.lose_all()
                if self._options.until_idle:
                    return
                # Not by `when_idle`, which never waits for long.
                await self._asking.pause(claim.why_no_work, backoff.after_failure(claim.retry_after_s))
            elif self._options.until_idle and not self._leases and claim.why_no_work != WhyNoWork.DRAINING:
                return
            else:
                await self._asking.pause(claim.why_no_work, backoff.when_idle(claim.retry_after_s))
        await self._until(lambda: not self._leases)

    @property
    def _left(self) -> float:
        """How many more tasks may be claimed."""
        return self._options.max_tasks - self._claimed if self._options.max_tasks else math.inf

    async def _claim(self, wanted: Mapping[str, Any], attempts: Iterator[int]) -> Claim:
        self._claiming = asyncio.create_task(self._claim_once(wanted, attempts))
        # The pool leases its tasks whether anybody waits for the answer or not.
        return await asyncio.shield(self._claiming)

    async def _claim_once(self, wanted: Mapping[str, Any], attempts: Iterator[int]) -> Claim:
        repeated = next(attempts) > 0
        try:
            claim = await self._calls.claim(
                host=self._identity.token, name=self._options.name, wanted={**wanted, "repeated": repeated}
            )
        except PoolRefused as refused:
            is_unknown = refused.refusal.code == ErrorCode.UNAUTHENTICATED and refused.refusal.field == "host"
            if not is_unknown or not self._identity.token:
                raise
            self._tell(Warned("the pool does not know this host any more: it is a new one from now on"))
            self._identity.is_now("")
            return await self._claim_once(wanted, attempts)
        self._identity.is_now(claim.host)
        self._hold(claim.tasks)
        return claim

    def _hold(self, tasks: Sequence[LeasedTask]) -> None:
        self._leases.add(tasks)
        self._claimed += len(tasks)
        if tasks:
            self._tell(Claimed(len(tasks)))

    async def _hear_last_claim(self) -> None:
        """Until a claim that was under way has brought its tasks."""
        if self._claiming and not self._claiming.done():
            with suppress(PoolError):
                await self._claiming

    async def _queue_genuine(self, tasks: Sequence[LeasedTask], backoff: Backoff) -> None:
        """Queue those tasks whose job's source is what its SHA-256 says; release the others."""
        forged: list[LeasedTask] = []
        for task in tasks:
            name = (task.job, task.sha256)
            if name not in self._sources:
                source = await self._source(task.job, backoff)
                if not is_genuine(source, task.sha256):
                    forged.append(task)
                    continue
                self._sources[name] = source
            self._queue.put_nowait(task)
        if forged:
            jobs = ", ".join(sorted({task.job for task in forged}))
            self._tell(Warned(f"{jobs}: the source is not the one that its SHA-256 names; it was not run"))
            await self._release(forged, backoff)
            await self._asking.pause("waiting for genuine sources", backoff.after_failure())

    async def _source(self, job: str, backoff: Backoff) -> str:
        """The text of a job's function; empty if the pool does not give it."""
        try:
            return await self._asking.until_answered(partial(self._calls.source, job), backoff)
        except PoolRefused:
            return ""

    async def _compute_for_ever(self, sandbox: Sandbox, owner: str) -> None:
        backoff = self._asking.backoff()
        while True:
            task = await self._queue.get()
            self._changed.set()
            if task not in self._leases:
                continue
            source = self._sources[task.job, task.sha256]
            computing = asyncio.create_task(compute(sandbox, task, source, owner=owner, tamper=self._tamper))
            self._computing[task.id] = computing
            try:
                report = await computing
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise
                continue  # Its lease was lost.
            except MachineBusy as problem:
                self._tell(Warned(f"{task.job}: {problem}; its task goes back to the pool"))
                await self._release([task], backoff)
                continue
            finally:
                del self._computing[task.id]
            self._pace.learn(report.elapsed_ms / 1000)
            self._tell(Computed(task.job, report.elapsed_ms, report.error))
            self._outbox.put(report)

    def _lose(self, task: LeasedTask) -> None:
        if task.id in self._outbox:
            return  # What is computed is posted all the same: it may still be wanted.
        self._drop(task)
        if computing := self._computing.get(task.id):
            computing.cancel()
        self._tell(Lost(task.job, "its lease was lost"))

    def _drop(self, task: LeasedTask) -> None:
        self._leases.drop(task)
        self._changed.set()

    async def _release(self, tasks: Sequence[LeasedTask], backoff: Backoff) -> None:
        await self._asking.until_answered(partial(self._leases.release, tasks), backoff)
        self._changed.set()

    async def _watch_standing(self) -> None:
        while True:
            await asyncio.sleep(STANDING_S)
            with suppress(PoolError):
                await self._tell_standing()

    async def _tell_standing(self) -> None:
        if self._identity.token and (standing := await self._calls.standing(self._identity.key)):
            self._tell(standing)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
