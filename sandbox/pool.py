"""The pool of workers: the way in for everything that runs untrusted code."""

import asyncio
import contextlib
import logging
import math
import signal
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from sandbox.breaker import CircuitBreaker
from sandbox.frames import BrokenFrame
from sandbox.limits import VALIDATION, Limits
from sandbox.outcomes import (
    FailureKind,
    Function,
    NotRun,
    Outcome,
    Returned,
    SourceForm,
    SourceKind,
    Threw,
    Unparsable,
)
from sandbox.process import Starved, Worker, WorkerNotStarted

log = logging.getLogger(__name__)

RECYCLE_MS = 2_000
RESPAWN_PAUSE_S = 1.0
ERROR_LENGTH = 500
BUSY = "this machine was too busy to run it"
UNEXPLAINED = "its process did not say why"
KILLED = "something on this machine killed the process that ran it"
# How V8 ends the process when it gets no more memory.
OUT_OF_MEMORY = {signal.SIGTRAP, signal.SIGABRT}


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
            spares: processes that stand by to replace others.
            limits: what a call may use.
            deaths: workers that one owner's calls may take along within `window_s` before they have to wait.
            window_s: that window, in seconds.
            pause_s: how long they wait, in seconds.
            clock: the time in seconds, of any origin.
        """
        self._size = workers + spares
        self._limits = limits
        self._permits = asyncio.Semaphore(workers)
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
        timeout_ms: int | None = None,
    ) -> list[Outcome]:
        """Call one function many times, in one context.

        The calls share that context, so what one call leaves there the next one sees, unless a call kills the
        worker: the rest is then carried on in a fresh one. An owner's runs take turns.

        Args:
            function: what to call.
            calls: the arguments of each call: JSON texts, or `UNDEFINED`.
            owner: whose code it is.
            timeout_ms: processor time for each call, in ms; by default the limits' own.

        Returns:
            The outcome of each call, in order.

        Raises:
            SandboxClosed: the sandbox is not running.
        """
        turn = self._turns.setdefault(owner, asyncio.Lock())
        timeout_ms = self._limits.timeout_ms if timeout_ms is None else timeout_ms
        outcomes: list[Outcome] = []
        async with turn:
            while len(outcomes) < len(calls):
                if wait_s := self._breaker.wait_s(owner):
                    return outcomes + [_refusal(wait_s)] * (len(calls) - len(outcomes))
                async with self._worker(owner) as worker:
                    if self._breaker.wait_s(owner):  # what an earlier call left running has been found meanwhile
                        continue
                    worker.send({"open": function.source, "parameters": function.parameters, "wanted": function.wanted})
                    for arguments in calls[len(outcomes) :]:
                        outcomes.append(await self._call(worker, arguments, timeout_ms))
                        if worker.killed:
                            if not _was_starved(outcomes[-1]):
                                self._breaker.died(owner)
                            break
                        self._breaker.survived(owner)
        return outcomes

    async def inspect(self, source: str, parameters: Sequence[str]) -> SourceForm:
        """Read a source without running any of it.

        Args:
            source: what an owner wrote.
            parameters: the names of the parameters it is called with.

        Raises:
            Unparsable: it is no function: it does not parse, or is empty.
            NotRun: the machine was too busy, or killed the worker.
            SandboxClosed: the sandbox is not running.
        """
        async with self._worker(None) as worker:
            worker.send({"inspect": source, "parameters": list(parameters)})
            try:
                found = await worker.answer(self._limits.timeout_ms)
            except TimeoutError:
                worker.kill()
                raise Unparsable("The source could not be read in time", 1, 1) from None
            except Starved:
                worker.kill()
                raise NotRun(BUSY) from None
            except BrokenFrame:
                if await worker.stop() == signal.SIGKILL:
                    raise NotRun(KILLED) from None
                raise Unparsable("The source could not be read: it crashed the process", 1, 1) from None
        match found:
            case {"kind": str(kind), "body": str(body)}:
                return SourceForm(SourceKind(kind), body)
            case {"message": str(message), "line": int(line), "column": int(column)}:
                raise Unparsable(message[:ERROR_LENGTH], line, column)
        raise Unparsable("The source could not be read", 1, 1)

    async def _call(self, worker: Worker, arguments: Sequence[str], timeout_ms: int) -> Outcome:
        """The outcome of one call; afterwards the worker may have been killed."""
        worker.send({"call": list(arguments)})
        try:
            reply = await worker.answer(timeout_ms)
        except TimeoutError:
            worker.kill()
            return Threw(f"it took longer than {timeout_ms} ms", FailureKind.TIMEOUT)
        except Starved:
            worker.kill()
            return Threw(BUSY, FailureKind.STARVED)
        except BrokenFrame as error:
            ended_by = await worker.stop()
            if ended_by in OUT_OF_MEMORY:
                return Threw("it took more memory than allowed and was killed", FailureKind.MEMORY)
            if ended_by == signal.SIGKILL:
                return Threw(KILLED, FailureKind.KILLED)
            return Threw(f"its process crashed: {ended_by.name if ended_by else error}", FailureKind.CRASH)
        match reply:
            case {"kind": "returned", "text": str(text)}:
                return Returned(text)
            case {"kind": str(kind), "text": str(text)} if kind in FailureKind.__members__.values():
                if kind == FailureKind.MEMORY:
                    worker.kill()  # its V8 may still be at it
                return Threw(text[:ERROR_LENGTH] or UNEXPLAINED, FailureKind(kind))
        worker.kill()
        return Threw("its process sent nonsense and was killed", FailureKind.CRASH)

    @contextlib.asynccontextmanager
    async def _worker(self, owner: str | None) -> AsyncIterator[Worker]:
        """A worker of one's own; it goes back to the pool, or is replaced, in the background."""
        async with self._permits:
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


def _was_starved(outcome: Outcome) -> bool:
    return isinstance(outcome, Threw) and outcome.kind == FailureKind.STARVED


def _refusal(wait_s: float) -> Threw:
    return Threw(
        f"not called: earlier calls kept ending their worker; try again in {math.ceil(wait_s)} s",
        FailureKind.CIRCUIT_OPEN,
    )
