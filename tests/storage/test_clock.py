"""The pool's clock: every process goes by the database's."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymongo.errors import OperationFailure

from storage import open_store
from storage.engines import Database
from storage.engines.clock import TOLERATED_MS, Clock


def machine_ms() -> int:
    return time.time_ns() // 1_000_000


class Machine:
    """This machine's clock, which stands still except where a test moves it."""

    def __init__(self) -> None:
        self.ms = machine_ms()

    def told(self, ahead_ms: int, after_ms: int = 0) -> Callable[[], Awaitable[int]]:
        """A database whose clock is ahead of this machine's, and that takes its time over the answer."""

        async def tell() -> int:
            self.ms += after_ms // 2
            now = self.ms + ahead_ms
            self.ms += after_ms // 2
            return now

        return tell


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    standing = Machine()
    monkeypatch.setattr(time, "time_ns", lambda: standing.ms * 1_000_000)
    return standing


@pytest.mark.parametrize("ahead_ms", [3_600_000, 5_000, -5_000])
async def test_a_process_goes_by_the_databases_clock_and_says_so(
    ahead_ms: int, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    await clock.set_by(machine.told(ahead_ms, 100))
    assert abs(clock.now() - machine_ms() - ahead_ms) < TOLERATED_MS
    assert f"the database's clock is {ahead_ms / 1000:+.1f} s from this machine's" in caplog.text
    await clock.set_by(machine.told(0))
    assert abs(clock.now() - machine_ms()) < TOLERATED_MS


async def test_revisions_sort_by_that_clock_and_are_unique(machine: Machine) -> None:
    behind, ahead = Clock(), Clock()
    await ahead.set_by(machine.told(3_600_000))
    made = [ahead.revision() for _ in range(1_000)]
    assert made == sorted(set(made))
    assert all(len(each) == 32 for each in made)
    assert behind.revision() < made[0]
    assert abs(int(made[0][:12], 16) - ahead.now()) < 600_000


async def test_small_differences_change_nothing(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    caplog.set_level(logging.INFO)
    assert await clock.set_by(machine.told(TOLERATED_MS // 2))
    assert abs(clock.now() - machine_ms()) < TOLERATED_MS
    assert not caplog.records


@pytest.mark.parametrize(("ahead_ms", "set_ms"), [(300, 0), (-300, 0), (60_000, 60_000)])
async def test_of_a_slow_answer_only_what_is_certain_is_taken(machine: Machine, ahead_ms: int, set_ms: int) -> None:
    clock = Clock()
    assert not await clock.set_by(machine.told(ahead_ms, 4 * TOLERATED_MS))
    assert abs(clock.now() - machine_ms() - set_ms) < TOLERATED_MS


class Slow:
    """A database that takes its time over the first answers, and is a minute ahead."""

    def __init__(self, slow: int, machine: Machine) -> None:
        self.asked = 0
        self._slow = slow
        self._machine = machine

    async def command(self, name: str) -> dict[str, datetime]:
        self.asked += 1
        local = datetime.fromtimestamp(self._machine.ms / 1000 + 60, UTC)
        if self.asked <= self._slow:
            self._machine.ms += 2 * TOLERATED_MS
        return {"localTime": local.replace(tzinfo=None)}


@pytest.mark.parametrize(("slow", "asked"), [(0, 1), (2, 3), (99, 5)])
async def test_a_database_that_answers_slowly_is_asked_again(machine: Machine, slow: int, asked: int) -> None:
    database = Database(told_by := Slow(slow, machine), "x")
    await database.set_clock()
    assert told_by.asked == asked
    assert abs(database.clock.now() - machine_ms() - 60_000) <= 2 * TOLERATED_MS


async def test_every_engine_but_memory_tells_the_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this machine's clock were set back by a minute after the pool was opened."""
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 60 * 10**9)
    before = database.clock.now()
    assert abs(before - machine_ms()) < 30_000
    if database.uri == "mock":
        return
    await database.set_clock()
    assert abs(database.clock.now() - real() // 1_000_000) < 30_000


class Silent:
    """A database that knows no such question."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    async def command(self, name: str) -> None:
        raise self._problem


async def test_a_database_that_tells_no_time_leaves_the_machines_own(machine: Machine) -> None:
    await (silent := Database(Silent(OperationFailure("no such command: 'hello'")), "x")).set_clock()
    assert silent.clock.now() == machine.ms


async def test_the_clock_is_looked_at_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("storage.engines.database.CLOCK_EVERY_S", 0.02)
    looked = asyncio.Event()
    set_by = Clock.set_by

    async def noted(self: Clock, tell: Callable[[], Awaitable[int]]) -> bool:
        quick = await set_by(self, tell)
        if abs(self.now() - real() // 1_000_000) < 30_000:
            looked.set()
        return quick

    async with open_store(str(tmp_path)):
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() - 60 * 10**9)
        monkeypatch.setattr(Clock, "set_by", noted)
        async with asyncio.timeout(120):
            await looked.wait()
