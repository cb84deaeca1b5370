"""The pool of workers: the way in for everything that runs untrusted code."""

import asyncio
import contextlib
import logging
import math
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from sandbox.allowance import Allowance
from sandbox.breaker import CircuitBreaker
from sandbox.calls import call, inspect
from sandbox.frames import BrokenFrame
from sandbox.limits import VALIDATION, Limits
from sandbox.minute import Minute
from sandbox.outcomes import FailureKind, Function, NotRun, Outcome, SourceForm, Threw
from sandbox.process import Starved, Worker, WorkerNotStarted
from sandbox.turns import Turns

log = logging.getLogger(__name__)

RECYCLE_MS = 2_000
RESPAWN_PAUSE_S = 1.0
TURN_S = 0.25
"""How long a run keeps its worker while others wait for one."""


class SandboxClosed(Exception):
    """The sandbox was asked to run something before it was started or after it was closed."""


class Sandbox:
    """Runs untrusted JavaScript in worker processes that can be killed; this process never loads V8.

    Use it as an async context manager, or call `start` and `close`. It belongs to one event loop.
    """

    def __init__(
        self,
        workers: int = 2,
        spares: int = 1,
        limits: Limits = VALIDATION,
        *,
        deaths: int = 5,
        window_s: float = 60.0,
        pause_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe a pool.

        Args:
            workers: calls that may run at the same time.
            spares: processes that stand by to replace others, and for accounts that have no worker while others have
                them all.
            limits: what a call may use.
            deaths: workers that one owner's calls may take along within `window_s` before they have to wait.
            window_s: that window, in seconds.
            pause_s: how long they wait, in seconds.
            clock: the time in seconds, of any origin.
        """
        self._size = workers + spares
        self._limits = limits
        self._permits = Turns(workers, spares)
        self._idle: asyncio.Queue[Worker | None] = asyncio.Queue()
        self._workers: set[Worker] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._breaker = CircuitBreaker(clock, deaths, window_s, pause_s)
        self._running = False

    async def start(self) -> None:
        """Start the workers.

        Raises:
            WorkerNotStarted: one of them does not come up, for instance because V8 doesn't know a flag.
        """
        self._running = True
        self._idle = asyncio.Queue()  # the old one may still wake who waited at the last close
        try:
            await asyncio.gather(*(self._do(self._hire()) for _ in range(self._size)))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Kill the workers and wait for their end. Calls under way end with `SandboxClosed`."""
        self._running = False
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()
        for _ in range(self._size):  # wake who waits for a worker
            self._idle.put_nowait(None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def worker_pids(self) -> frozenset[int]:
        """The processes that live now, busy or not."""
        return frozenset(worker.pid for worker in self._workers)

    async def run(
        self,
        function: Function,
        calls: Sequence[Sequence[str]],
        *,
        owner: str,
        account: str = "",
        timeout_ms: int | None = None,
        allowance: Allowance | None = None,
        minute: Minute | None = None,
    ) -> list[Outcome]:
        """Call one function many times, in one context as far as possible.

        The calls share that context, so what one call leaves there the next one sees, unless a call kills the worker,
        or others wait for one: the rest is then carried on in a fresh one. An owner's runs take turns.

        Args:
            function: what to call.
            calls: the arguments of each call: JSON texts, or `UNDEFINED`.
            owner: whose code it is.
            account: by whom workers are shared in turns; by default by owner.
            timeout_ms: processor time for each call, in ms; by default the limits' own.
            allowance: what these calls and others may use together; by default nothing is counted.
            minute: what the account's calls have used in the last minute, and may use; likewise.

        Returns:
            The outcome of each call, in order.

        Raises:
            SandboxClosed: the sandbox is not running.
        """
        turn = self._turns.setdefault(owner, asyncio.Lock())
        timeout_ms = self._limits.timeout_ms if timeout_ms is None else timeout_ms
        allowance, minute = allowance or Allowance(math.inf), minute or Minute()
        outcomes: list[Outcome] = []
        async with turn:
            while len(outcomes) < len(calls):
                if refused := self._refusal(owner, allowance, minute):
                    return outcomes + [refused] * (len(calls) - len(outcomes))
                async with self._worker(owner, account or owner) as worker:
                    if self._breaker.wait_s(owner):  # what an earlier call left running has been found meanwhile
                        continue
                    with worker.metered(allowance, minute) as meter:
                        worker.open(function)
                        for arguments in calls[len(outcomes) :]:
                            outcomes.append(await call(worker, arguments, timeout_ms))
                            meter.count(outcomes[-1])
                            if worker.killed:
                                if not _was_starved(outcomes[-1]):
                                    self._breaker.died(owner)
                                break
                            self._breaker.survived(owner)
                            if _refusal_of(allowance, minute) or (
                                meter.elapsed_s > TURN_S and self._permits.others_wait(account or owner)
                            ):
                                break
        return outcomes

    def _refusal(self, owner: str, allowance: Allowance, minute: Minute) -> Threw | None:
        wait_s = self._breaker.wait_s(owner)
        return _broken(wait_s) if wait_s else _refusal_of(allowance, minute)

    async def inspect(
        self,
        source: str,
        parameters: Sequence[str],
        *,
        account: str = "",
        allowance: Allowance | None = None,
        minute: Minute | None = None,
    ) -> SourceForm:
        """Read a source without running any of it.

        Args:
            source: what an owner wrote.
            parameters: the names of the parameters it is called with.
            account: by whom workers are shared in turns.
            allowance: as for `run`.
            minute: as for `run`.

        Raises:
            Unparsable: it is no function: it does not parse, or is empty.
            NotRun: the machine was too busy, or killed the worker, or nothing is left of the allowance or the minute.
            SandboxClosed: the sandbox is not running.
        """
        allowance, minute = allowance or Allowance(math.inf), minute or Minute()
        if refused := _refusal_of(allowance, minute):
            raise NotRun(refused.message, refused.retry_after_s)
        async with self._worker(None, account) as worker:
            with worker.metered(allowance, minute):
                found = await inspect(worker, source, parameters, self._limits.timeout_ms)
        if isinstance(found, Exception):
            raise found
        return found

    @contextlib.asynccontextmanager
    async def _worker(self, owner: str | None, group: str) -> AsyncIterator[Worker]:
        """A worker of one's own; it goes back to the pool, or is replaced, in the background."""
        async with self._permits.of(group):
            if not self._running:
                raise SandboxClosed("the sandbox is not running")
            while (worker := await self._idle.get()) is not None and worker.ended:
                self._do(self._recycle(worker, None))
            if worker is None:
                raise SandboxClosed("the sandbox was closed")
            try:
                yield worker
            except BaseException:
                worker.kill()  # nobody will read what it still says
                raise
            finally:
                if self._running:
                    self._do(self._recycle(worker, owner))

    def _do(self, chore: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def _recycle(self, worker: Worker, owner: str | None) -> None:
        if not worker.killed:
            worker.send({"recycle": True})
            try:
                await worker.answer(RECYCLE_MS)
            except Starved:
                pass
            except (TimeoutError, BrokenFrame):
                if owner is not None:  # what it left running outlived its call
                    self._breaker.died(owner)
            else:
                self._idle.put_nowait(worker)
                return
        await worker.stop()
        self._workers.discard(worker)
        await self._replace()

    async def _replace(self) -> None:
        while True:
            try:
                return await self._hire()
            except WorkerNotStarted:
                log.exception("a sandbox worker did not start")
                await asyncio.sleep(RESPAWN_PAUSE_S)

    async def _hire(self) -> None:
        worker = await Worker.spawn(self._limits)
        self._workers.add(worker)
        self._idle.put_nowait(worker)


def _refusal_of(allowance: Allowance, minute: Minute) -> Threw | None:
    return allowance.refusal or minute.refusal


def _was_starved(outcome: Outcome) -> bool:
    return isinstance(outcome, Threw) and outcome.kind == FailureKind.STARVED


def _broken(wait_s: float) -> Threw:
    return Threw(
        f"not called: earlier calls kept ending their worker; try again in {math.ceil(wait_s)} s",
        FailureKind.CIRCUIT_OPEN,
    )
