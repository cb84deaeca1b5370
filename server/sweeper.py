"""The background task that carries on where a host or a process died."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Self

from resolvers.errors import StorageUnavailable
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep

log = logging.getLogger(__name__)


class Sweeper:
    """Sweeps every `seconds`, give or take a half, so that several processes don't do so in step."""

    def __init__(self, runtime: Runtime, seconds: float) -> None:
        self._runtime = runtime
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._sweep_for_ever(), name="sweeper")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._seconds * self._runtime.random.uniform(0.5, 1.5))
            try:
                await sweep(self._runtime)
            except StorageUnavailable as problem:
                log.warning("a sweep has to wait: %s", problem)
            except Exception:
                log.exception("a sweep failed; the next one tries again")
