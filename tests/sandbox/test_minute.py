"""What was used in the last minute, and when there is something left again."""

import pytest

from sandbox import FailureKind, Minute, NotRun, Returned, Sandbox
from tests.sandbox.test_turns import BUSY
from tests.sandbox.workers import ECHO

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Time:
    def __init__(self) -> None:
        self.now = 1000.5

    def __call__(self) -> float:
        return self.now


async def test_what_was_used_is_forgotten_after_a_minute() -> None:
    time = Time()
    minute = Minute(3.0, time)
    for now, used in ((1000.5, 1.0), (1000.9, 0.5), (1030.0, 2.0)):
        time.now = now
        minute.take(used)
    assert (minute.used_s, minute.wait_s) == (3.5, 31)
    time.now = 1061.0
    assert (minute.used_s, minute.wait_s, minute.refusal) == (2.0, 0, None)
    time.now = 1091.0
    assert minute.used_s == 0


@pytest.mark.parametrize("used", [[], [0.0], [2.9], [1.0, 1.9]])
async def test_something_is_left_until_all_of_it_is_used(used: list[float]) -> None:
    minute = Minute(3.0, Time())
    for each in used:
        minute.take(each)
    assert minute.wait_s == 0
    minute.take(3.0)
    refusal = minute.refusal
    assert refusal
    assert (refusal.kind, refusal.retry_after_s) == (FailureKind.OVER_QUOTA, 61)


async def test_after_the_wait_there_is_something_left() -> None:
    time = Time()
    minute = Minute(1.0, time)
    for at in range(30):
        time.now = 1000.25 + at
        minute.take(0.2)
    time.now += minute.wait_s - 1
    assert minute.wait_s == 1
    time.now += 1
    assert minute.wait_s == 0
    assert 0 < minute.used_s < 1


async def test_without_a_limit_it_is_counted_all_the_same() -> None:
    minute = Minute(clock=Time())
    minute.take(1e6)
    assert (minute.used_s, minute.refusal) == (1e6, None)


async def test_calls_are_counted_and_refused(sandbox: Sandbox) -> None:
    minute = Minute(0.3)
    outcomes = await sandbox.run(BUSY, [["1"]] * 200, owner="x", minute=minute)
    called = [each for each in outcomes if isinstance(each, Returned)]
    assert 1 <= len(called) < 200
    assert {getattr(each, "kind", None) for each in outcomes[len(called) :]} == {FailureKind.OVER_QUOTA}
    with pytest.raises(NotRun, match="used up") as refused:
        await sandbox.inspect("x => x", ["x"], minute=minute)
    assert refused.value.retry_after_s > 0
    assert await sandbox.run(ECHO, [["1"]], owner="y", minute=Minute(0.3)) == [Returned("1")]
