"""The loop of a volunteer: claim, compute, report, and start again."""

from __future__ import annotations

import asyncio
import itertools
import math
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from comp_pool import Backoff, PoolClient, PoolRefused, PoolUnavailable
from sandbox import VOLUNTEER, Sandbox
from volunteer.calls import Claim, LeasedTask, PoolCalls, Report
from volunteer.computing import MachineBusy, Tamper, compute, is_genuine
from volunteer.events import Claimed, Computed, Event, Lost, Released, Waiting, Warned
from volunteer.identity import Identity
from volunteer.outbox import Outbox

BATCH_S = 2.0
MOST_AT_ONCE = 100
LAST_POST_S = 10.0
STANDING_S = 2.0
HEARTBEATS_A_LEASE = 3
TICK_S = 0.1
PACE_WEIGHT = 0.2
UNAUTHENTICATED = "UNAUTHENTICATED"
DRAINING = "DRAINING"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Options:
    """What a volunteer computes and for how long.

    Attributes:
        concurrency: computations at the same time, each in a process.
        jobs: only these keys; empty: any.
        owners: only jobs of these; empty: any.
        scheduler: the job scheduler; empty: the pool's default.
        max_tasks: end after so many; 0: never.
        until_idle: end when the pool has nothing more for this host.
        name: what a new host calls itself.
        longest_wait_s: the longest pause before the pool is asked again, in seconds.
    """

    concurrency: int = 1
    jobs: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    scheduler: str = ""
    max_tasks: int = 0
    until_idle: bool = False
    name: str = f"native, {platform.system()}"
    longest_wait_s: float = 30.0

    @property
    def wanted(self) -> dict[str, Any]:
        """The inputs of a claim that say what is wanted."""
        return {"jobs": self.jobs or None, "owners": self.owners or None, "scheduler": self.scheduler or None}


DEFAULT = Options()


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
        self._calls = PoolCalls(client)
        self._identity = identity
        self._options = options
        self._tell = tell
        self._tamper = tamper
        self._held: dict[str, LeasedTask] = {}
        self._beat_at: dict[str, float] = {}
        self._queue: asyncio.Queue[LeasedTask] = asyncio.Queue()
        self._computing: dict[str, asyncio.Task[Report]] = {}
        self._sources: dict[tuple[str, str], str] = {}
        self._changed = asyncio.Event()
        self._claiming: asyncio.Task[Claim] | None = None
        self._claimed = 0
        self._batch = options.concurrency
        self._task_s = 0.0
        self._outbox = Outbox(self._calls, identity, tell, self._new_backoff(), self._drop)

    async def run(self, stop: asyncio.Event) -> None:
        """Compute until `stop` is set or the options' end is reached; then post what is computed and release the rest.

        Raises PoolRefused (for instance: no such scheduler) and NotAPool. A pool that is away is waited for.
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
                chores = [*slots, self._outbox.post_for_ever(), self._beat_for_ever(), self._watch_standing()]
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
                await self._release(list(self._held.values()))
                await self._tell_standing()
        except (TimeoutError, PoolUnavailable):
            self._tell(Warned(f"the pool is away: {len(self._outbox)} results and {len(self._held)} leases are lost"))
        finally:
            if self._claiming:
                self._claiming.cancel()

    async def _claim_until_done(self) -> None:
        backoff = self._new_backoff()
        while self._left > 0:
            await self._until(lambda: self._queue.qsize() <= self._batch // 2)
            attempts = itertools.count()
            claim = await self._asked(partial(self._claim, uuid4().hex, attempts), backoff)
            if claim.tasks:
                await self._queue_genuine(claim.tasks, backoff)
            elif self._options.until_idle and not self._held and claim.why_no_work != DRAINING:
                return
            else:
                await self._pause(claim.why_no_work, backoff.when_idle(claim.retry_after_s))
        await self._until(lambda: not self._held)

    @property
    def _left(self) -> float:
        """How many more tasks may be claimed."""
        return self._options.max_tasks - self._claimed if self._options.max_tasks else math.inf

    async def _claim(self, key: str, attempts: Iterator[int]) -> Claim:
        self._claiming = asyncio.create_task(self._claim_once(key, attempts))
        # The pool leases its tasks whether anybody waits for the answer or not.
        return await asyncio.shield(self._claiming)

    async def _claim_once(self, key: str, attempts: Iterator[int]) -> Claim:
        first = int(min(max(1, self._batch - self._queue.qsize()), self._left))
        wanted = {**self._options.wanted, "idempotencyKey": key, "repeated": next(attempts) > 0}
        try:
            claim = await self._calls.claim(
                host=self._identity.token, name=self._options.name, first=first, wanted=wanted
            )
        except PoolRefused as refused:
            if refused.refusal.code != UNAUTHENTICATED:
                raise
            self._tell(Warned("the pool does not know this host any more: it is a new one from now on"))
            self._identity.is_now("")
            return await self._claim_once(key, attempts)
        self._identity.is_now(claim.host)
        self._hold(claim.tasks)
        return claim

    def _hold(self, tasks: Sequence[LeasedTask]) -> None:
        for task in tasks:
            self._held[task.id] = task
            self._beat_at[task.id] = time.monotonic() + task.delay_bound_s / HEARTBEATS_A_LEASE
        self._claimed += len(tasks)
        if tasks:
            self._tell(Claimed(len(tasks)))

    async def _hear_last_claim(self) -> None:
        """Until a claim that was under way has brought its tasks."""
        if self._claiming and not self._claiming.done():
            with suppress(PoolRefused):
                await self._claiming

    async def _queue_genuine(self, tasks: Sequence[LeasedTask], backoff: Backoff) -> None:
        """Queue those tasks whose job's source is what its SHA-256 says; release the others."""
        forged: list[LeasedTask] = []
        for task in tasks:
            name = (task.job, task.sha256)
            if name not in self._sources:
                source = await self._asked(partial(self._calls.source, task.job), backoff)
                if not is_genuine(source, task.sha256):
                    forged.append(task)
                    continue
                self._sources[name] = source
            self._queue.put_nowait(task)
        if forged:
            jobs = ", ".join(sorted({task.job for task in forged}))
            self._tell(Warned(f"{jobs}: the source is not the one that its SHA-256 names; it was not run"))
            await self._release(forged)
            await self._pause("waiting for genuine sources", backoff.after_failure())

    async def _compute_for_ever(self, sandbox: Sandbox, owner: str) -> None:
        backoff = self._new_backoff()
        while True:
            task = await self._queue.get()
            self._changed.set()
            if task.id not in self._held:
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
                await self._asked(partial(self._release, [task]), backoff)
                continue
            finally:
                del self._computing[task.id]
            self._learn_pace(report.elapsed_ms / 1000)
            self._tell(Computed(task.job, report.elapsed_ms, report.error))
            self._outbox.put(report)

    def _learn_pace(self, task_s: float) -> None:
        """Ask for as many tasks as take about `BATCH_S`, growing slowly: others want some too."""
        self._task_s += (task_s - self._task_s) * (PACE_WEIGHT if self._task_s else 1)
        at_once = self._options.concurrency
        ideal = math.ceil(BATCH_S * at_once / max(self._task_s, 0.001))
        self._batch = min(2 * self._batch, max(at_once, ideal), MOST_AT_ONCE)

    async def _beat_for_ever(self) -> None:
        """Extend leases well before they run out; drop what is no longer held."""
        backoff = self._new_backoff()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            due = [task for task in self._held.values() if self._beat_at[task.id] <= now]
            for some in (due[at : at + MOST_AT_ONCE] for at in range(0, len(due), MOST_AT_ONCE)):
                for task in some:
                    self._beat_at[task.id] = now + task.delay_bound_s / HEARTBEATS_A_LEASE
                for lost in await self._asked(partial(self._calls.extend, some), backoff):
                    self._lose(lost)

    def _lose(self, task: LeasedTask) -> None:
        if task.id not in self._held or task.id in self._outbox:
            return  # What is computed is posted all the same: it may still be wanted.
        self._drop(task)
        if computing := self._computing.get(task.id):
            computing.cancel()
        self._tell(Lost(task.job, "its lease was lost"))

    def _drop(self, task: LeasedTask) -> None:
        self._held.pop(task.id, None)
        self._beat_at.pop(task.id, None)
        self._changed.set()

    async def _release(self, tasks: Sequence[LeasedTask]) -> None:
        for some in (tasks[at : at + MOST_AT_ONCE] for at in range(0, len(tasks), MOST_AT_ONCE)):
            released = await self._calls.release(some)
            for task in some:
                self._drop(task)
            self._tell(Released(released))

    async def _watch_standing(self) -> None:
        while True:
            await asyncio.sleep(STANDING_S)
            with suppress(PoolUnavailable):
                await self._tell_standing()

    async def _tell_standing(self) -> None:
        if self._identity.token:
            self._tell(await self._calls.standing(self._identity.key))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _asked(self, call: Callable[[], Awaitable[_Answer]], backoff: Backoff) -> _Answer:
        """What the pool answers, asked again for as long as it is away."""
        while True:
            try:
                answer = await call()
            except PoolUnavailable as problem:
                await self._pause(str(problem), backoff.after_failure(problem.retry_after_s))
            else:
                backoff.reset()
                return answer

    async def _pause(self, why: str, seconds: float) -> None:
        self._tell(Waiting(why, seconds))
        await asyncio.sleep(seconds)

    def _new_backoff(self) -> Backoff:
        return Backoff(longest_s=self._options.longest_wait_s)
