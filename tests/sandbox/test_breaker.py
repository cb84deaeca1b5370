"""An owner whose calls keep dying waits; others do not."""

import asyncio
import sys

import pytest

from sandbox import FailureKind, Function, Returned, Sandbox, Threw
from tests.processes import PATIENCE_S
from tests.sandbox.workers import ECHO, FOREVER, MOODY

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="watches the workers in /proc"),
]


class Clock:
    """A time that only the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_owner_whose_calls_keep_dying_waits_and_others_do_not() -> None:
    clock = Clock()
    async with Sandbox(workers=1, spares=2, deaths=2, window_s=60, pause_s=30, clock=clock) as sandbox:
        outcomes = await sandbox.run(MOODY, [["-1"], ["1"], ["-1"], ["2"]], owner="x", timeout_ms=50)
        refused = outcomes[3]
        assert refused == Threw(
            "not called: earlier calls kept ending their worker; try again in 30 s", FailureKind.CIRCUIT_OPEN
        )
        assert outcomes[1] == Returned("1")
        assert await sandbox.run(MOODY, [["1"]], owner="y") == [Returned("1")]

        clock.now = 29.5
        [still] = await sandbox.run(MOODY, [["1"]], owner="x")
        assert isinstance(still, Threw)
        assert still.message.endswith("in 1 s")

        clock.now = 30  # half-open: the first death opens it again
        [dead, refused] = await sandbox.run(MOODY, [["-1"], ["1"]], owner="x", timeout_ms=50)
        assert isinstance(dead, Threw)
        assert dead.kind == FailureKind.TIMEOUT
        assert isinstance(refused, Threw)
        assert refused.kind == FailureKind.CIRCUIT_OPEN

        clock.now = 60  # half-open: a call that survives closes it, and one death is no pattern
        outcomes = await sandbox.run(MOODY, [["1"], ["-1"], ["2"]], owner="x", timeout_ms=50)
        assert outcomes[::2] == [Returned("1"), Returned("2")]


async def test_deaths_further_apart_than_the_window_do_not_open_the_circuit() -> None:
    clock = Clock()
    async with Sandbox(workers=1, spares=1, deaths=2, window_s=60, clock=clock) as sandbox:
        for clock.now in (0.0, 61.0):
            await sandbox.run(FOREVER, [["1"]], owner="x", timeout_ms=50)
        assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]


async def test_what_outlives_its_call_counts_as_a_death() -> None:
    haunting = Function("Promise.resolve().then(() => [].indexOf.call({length: 2 ** 53 - 1}, 1)); return true", ())
    async with Sandbox(workers=1, spares=0, deaths=1) as sandbox, asyncio.timeout(PATIENCE_S):
        before = sandbox.worker_pids
        # On a busy machine a context may be closed before what it left behind has started: then nothing outlives.
        while (outcome := await sandbox.run(haunting, [[]], owner="x")) == [Returned("true")]:
            pass
        assert not sandbox.worker_pids & before
    assert isinstance(outcome[0], Threw)
    assert outcome[0].kind == FailureKind.CIRCUIT_OPEN
