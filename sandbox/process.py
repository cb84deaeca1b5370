"""A worker process, seen from the server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

from sandbox import frames
from sandbox.allowance import Allowance
from sandbox.limits import Limits
from sandbox.minute import Minute
from sandbox.outcomes import Function, Outcome, Returned

# -I keeps the environment and the working directory out; only this package's own root is let in again.
BOOT = "import sys; sys.path.append(sys.argv[1]); from sandbox.worker import main; main()"
PACKAGE_ROOT = str(Path(__file__).parent.parent)
START_S = 30.0
# The processor time of a process is counted in ticks of about this length.
STEP_S = 0.01
# To ask for it costs as much as a short call.
LOOK_S = 0.05


class WorkerNotStarted(Exception):
    """A worker did not come up: V8 refused its flags, or the system another process."""


class Starved(Exception):
    """The machine gave a worker too little time to say whether its code is slow."""


class Meter:
    """Takes what a worker uses from an allowance, and counts it into a minute."""

    def __init__(self, worker: Worker, allowance: Allowance, minute: Minute) -> None:
        self._worker = worker
        self._allowance = allowance
        self._minute = minute
        self._clock = asyncio.get_running_loop().time
        self._began = self._looked = self._clock()
        self._used_s = worker.computed_s()

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._began

    def count(self, outcome: Outcome) -> None:
        """After each call."""
        if isinstance(outcome, Returned):
            self._allowance.output_bytes -= len(outcome.json)
        if self._clock() - self._looked > LOOK_S:
            self.look()

    def look(self) -> None:
        """Take what was used since the last look."""
        self._looked = self._clock()
        used_s = self._worker.computed_s()
        self._allowance.seconds -= used_s - self._used_s
        self._minute.take(used_s - self._used_s)
        self._used_s = used_s


class Worker:
    """One process, which serves one owner at a time."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._inbox = process.stdout
        self._outbox = process.stdin
        self._limits = limits
        self.killed = False
        self._used_s = 0.0

    @classmethod
    async def spawn(cls, limits: Limits) -> Self:
        """Start a process and wait until it is ready.

        Raises:
            WorkerNotStarted: it isn't.
        """
        settings = {"limits": dataclasses.asdict(limits), "parent_pid": os.getpid()}
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-c", BOOT, PACKAGE_ROOT, json.dumps(settings)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={},
            )
        except OSError as error:
            raise WorkerNotStarted(str(error)) from error
        worker = cls(process, limits)
        try:
            async with asyncio.timeout(START_S):
                greeting = await worker._message()
        except BaseException as error:
            await worker.stop()
            if isinstance(error, frames.BrokenFrame | TimeoutError):
                raise WorkerNotStarted("the worker ended before it was ready") from error
            raise
        if "ready" not in greeting:
            await worker.stop()
            raise WorkerNotStarted(str(greeting.get("unfit")))
        return worker

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._process.returncode is not None

    def send(self, message: frames.Message) -> None:
        """Queue a message; `answer` waits for its answer, or says that the worker has ended."""
        # asyncio bears writing to a closed transport, uvloop does not.
        if not self._outbox.is_closing():
            self._outbox.write(frames.pack(message))

    def open(self, function: Function) -> None:
        """Have the calls that follow call this function."""
        self.send(
            {
                "open": function.source,
                "parameters": function.parameters,
                "wanted": function.wanted,
                "most_bytes": function.most_bytes,
            }
        )

    @contextlib.contextmanager
    def metered(self, allowance: Allowance, minute: Minute) -> Iterator[Meter]:
        """Take from the allowance, and count into the minute, what the worker uses in the block."""
        meter = Meter(self, allowance, minute)
        try:
            yield meter
        finally:
            meter.look()

    async def answer(self, timeout_ms: int) -> frames.Message:
        """The worker's next message, for which it may compute so many ms.

        Raises:
            TimeoutError: it has computed for that long.
            Starved: it has not, but the machine gave it too little of the time.
            BrokenFrame: the worker ended or sent nonsense.
        """
        clock = asyncio.get_running_loop().time
        computed_s, allowed_s = self.computed_s(), timeout_ms / 1000
        starved_at = clock() + max(allowed_s * self._limits.patience, self._limits.least_patience_ms / 1000)
        reading = asyncio.create_task(self._message())
        try:
            left_s = allowed_s
            while not (await asyncio.wait({reading}, timeout=max(left_s, STEP_S)))[0]:
                left_s = allowed_s - (self.computed_s() - computed_s)
                if left_s <= 0:
                    raise TimeoutError
                if clock() >= starved_at:
                    raise Starved
            return reading.result()
        finally:
            reading.cancel()

    async def _message(self) -> frames.Message:
        return await frames.receive(self._inbox, self._limits.frame_bytes)

    @functools.cached_property
    def _meter(self) -> psutil.Process:
        return psutil.Process(self.pid)

    def computed_s(self) -> float:
        """The processor time that the process has used, in seconds, as far as is known when it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            used = self._meter.cpu_times()
            self._used_s = float(used.user + used.system)
        return self._used_s

    def kill(self) -> None:
        """End the process at once, whatever its V8 is doing."""
        self.killed = True
        if not self.ended:
            # Process.kill() may collect the exit status that asyncio waits for, which then reports 255.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> signal.Signals | None:
        """Kill the process and wait for its end.

        Returns:
            The signal it ended by, if it was one: another than SIGKILL says that it ended by itself.
        """
        self.kill()
        code = await self._process.wait()
        self._outbox.close()
        # The transport lets go of the pipes only when they have been read to their end.
        with contextlib.suppress(ConnectionError):
            await self._inbox.read()
        return signal.Signals(-code) if code < 0 else None
