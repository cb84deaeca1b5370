"""Workers come and go; calls, owners and the server do not notice."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from sandbox import VOLUNTEER, FailureKind, Function, Limits, Returned, Sandbox, Threw, WorkerNotStarted
from tests.sandbox.workers import ECHO, FOREVER, MOODY

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="watches the workers in /proc"),
]


async def test_one_run_answers_many_calls_in_order_and_in_one_context(sandbox: Sandbox) -> None:
    counting = Function("globalThis.n = (globalThis.n ?? 0) + 1; return [variable, n]", ("variable",))
    outcomes = await sandbox.run(counting, [['"a"'], ['"b"'], ['"c"']], owner="counting")
    assert outcomes == [Returned('["a",1]'), Returned('["b",2]'), Returned('["c",3]')]
    assert await sandbox.run(counting, [], owner="counting") == []


async def test_a_batch_loses_only_the_calls_that_die(sandbox: Sandbox) -> None:
    outcomes = await sandbox.run(MOODY, [["1"], ["-1"], ["2"], ["-2"], ["3"]], owner="moody", timeout_ms=200)
    assert outcomes[::2] == [Returned("1"), Returned("2"), Returned("3")]
    assert [outcome.kind for outcome in outcomes if isinstance(outcome, Threw)] == [FailureKind.TIMEOUT] * 2


async def test_a_late_promise_of_one_call_is_not_the_answer_of_the_next(sandbox: Sandbox) -> None:
    late = Function(
        "if (variable === 1) return new Promise((done) => { globalThis.done = done }); done('late'); return 2",
        ("variable",),
    )
    [first, second] = await sandbox.run(late, [["1"], ["2"]], owner="late")
    assert isinstance(first, Threw)
    assert first.kind == FailureKind.PENDING
    assert second == Returned("2")


async def test_an_owners_runs_take_turns_and_leave_the_other_worker_to_others(sandbox: Sandbox) -> None:
    slow = [asyncio.create_task(sandbox.run(FOREVER, [["1"]], owner="greedy", timeout_ms=60_000)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await sandbox.run(ECHO, [["1"]], owner="modest") == [Returned("1")]
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    assert await asyncio.gather(*slow, return_exceptions=True)


async def test_the_time_that_a_busy_machine_gives_to_others_is_not_counted() -> None:
    async with Sandbox(workers=1, spares=0, limits=Limits(patience=10_000)) as sandbox:
        [worker] = sandbox.worker_pids
        os.kill(worker, signal.SIGSTOP)
        running = asyncio.create_task(sandbox.run(ECHO, [["1"]], owner="x", timeout_ms=50))
        done, _ = await asyncio.wait({running}, timeout=0.5)
        assert not done
        os.kill(worker, signal.SIGCONT)
        assert await running == [Returned("1")]
        assert sandbox.worker_pids == {worker}


async def test_a_call_that_gets_no_time_at_all_is_not_blamed_for_it() -> None:
    async with Sandbox(workers=1, spares=0, limits=Limits(patience=2, least_patience_ms=0), deaths=1) as sandbox:
        [worker] = sandbox.worker_pids
        os.kill(worker, signal.SIGSTOP)
        [starved] = await sandbox.run(ECHO, [["1"]], owner="x", timeout_ms=50)
        assert starved == Threw("this machine was too busy to run it", FailureKind.STARVED)
        assert await sandbox.run(ECHO, [["2"]], owner="x", timeout_ms=60_000) == [Returned("2")]


async def test_a_volunteer_has_webassembly_and_a_deadline_of_the_callers() -> None:
    square = Function(
        """
        const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1,
          1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 0, 108, 11]);
        return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f(variable)
        """,
        ("variable",),
    )
    async with Sandbox(workers=1, spares=0, limits=VOLUNTEER) as sandbox:
        assert await sandbox.run(square, [["12"]], owner="x") == [Returned("144")]
        [late] = await sandbox.run(FOREVER, [["1"]], owner="x", timeout_ms=100)
    assert late == Threw("it took longer than 100 ms", FailureKind.TIMEOUT)


async def test_a_closed_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox(workers=1, spares=0)
    for _ in range(2):
        async with sandbox:
            assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]


async def test_a_flag_that_v8_does_not_know_stops_the_start() -> None:
    sandbox = Sandbox(workers=1, spares=0, limits=Limits(flags=("--no-such-flag",)))
    with pytest.raises(WorkerNotStarted, match="V8 ignored some of its flags"):
        await sandbox.start()
    assert not sandbox.worker_pids


def proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="ascii")


async def test_workers_are_confined(sandbox: Sandbox) -> None:
    for pid in sandbox.worker_pids:
        assert "NoNewPrivs:\t1" in proc(pid, "status")
        assert os.getsid(pid) == pid
        soft = {line[:26].strip(): line[26:].split()[0] for line in proc(pid, "limits").splitlines()}
        assert soft["Max file size"] == soft["Max core file size"] == "0"
        assert soft["Max open files"] == "16"
        assert soft["Max data size"].isdigit()
