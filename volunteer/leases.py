"""The tasks that a volunteer holds, from the claim to the end of their leases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from comp_pool import PoolError, PoolRefused
from comp_pool.schema import TASKS_PER_CALL
from volunteer.asking import Asking
from volunteer.calls import LeasedTask, PoolCalls
from volunteer.events import Event, Released, Warned

HEARTBEATS_A_LEASE = 3
TICK_S = 0.1


class Leases:
    """Held tasks, and the heartbeats that have their leases run on."""

    def __init__(
        self,
        calls: PoolCalls,
        tell: Callable[[Event], None],
        asking: Asking,
        lose: Callable[[LeasedTask], None],
    ) -> None:
        """`lose` is called for each task that the pool says is not held any more; it is still counted as held."""
        self._calls = calls
        self._tell = tell
        self._asking = asking
        self._lose = lose
        self._held: dict[str, LeasedTask] = {}
        self._beat_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, task: LeasedTask) -> bool:
        return task.id in self._held

    def add(self, tasks: Sequence[LeasedTask]) -> None:
        for task in tasks:
            self._held[task.id] = task
            self._plan_beat(task)

    def drop(self, task: LeasedTask) -> None:
        self._held.pop(task.id, None)
        self._beat_at.pop(task.id, None)

    def lose_all(self) -> None:
        """The pool has given all that is held to others."""
        for task in list(self._held.values()):
            self._lose(task)

    async def beat_for_ever(self) -> None:
        """Extend leases well before they run out. A pool that takes no heartbeats now is asked again."""
        backoff = self._asking.backoff()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            due = [task for task in self._held.values() if self._beat_at[task.id] <= now][:TASKS_PER_CALL]
            if not due:
                continue
            try:
                lost = await self._calls.extend(due)
            except PoolError as problem:
                await self._asking.wait(problem, backoff)
                continue
            self._asking.note_answer(backoff)
            for task in due:
                if task in self:
                    self._plan_beat(task)
            for task in lost:
                if task in self:
                    self._lose(task)

    async def release(self, tasks: Sequence[LeasedTask]) -> None:
        """Give tasks back, so that others may compute them. If the pool refuses, their leases run out by themselves.

        Raises PoolUnavailable and NotAPool; then some of them are still held.
        """
        for some in (tasks[at : at + TASKS_PER_CALL] for at in range(0, len(tasks), TASKS_PER_CALL)):
            try:
                self._tell(Released(await self._calls.release(some)))
            except PoolRefused as refused:
                self._tell(Warned(f"tasks can't be given back: {refused}"))
            for task in some:
                self.drop(task)

    async def release_all(self) -> None:
        """Give back all that is held. Raises what `release` raises."""
        await self.release(list(self._held.values()))

    def _plan_beat(self, task: LeasedTask) -> None:
        self._beat_at[task.id] = time.monotonic() + task.delay_bound_s / HEARTBEATS_A_LEASE
