"""Workers come and go; calls, owners and the server do not notice."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from sandbox import (
    VOLUNTEER,
    FailureKind,
    Function,
    Limits,
    NotRunError,
    Returned,
    Sandbox,
    SandboxClosedError,
    SourceError,
    Threw,
    WorkerStartError,
)
from tests.processes import is_alive

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="watches the workers in /proc"),
]

Until = Callable[[Callable[[], bool]], Awaitable[None]]

ECHO = Function("return variable", ("variable",))
FOREVER = Function("for (;;);", ("variable",))
MOODY = Function("if (variable < 0) for (;;); return variable", ("variable",))


def alive(pid: int) -> bool:
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


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
    slow = [asyncio.create_task(sandbox.run(FOREVER, [["1"]], owner="greedy", timeout_ms=1_500)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await sandbox.run(ECHO, [["1"]], owner="modest") == [Returned("1")]
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    assert await asyncio.gather(*slow, return_exceptions=True)


async def test_a_worker_killed_during_a_call_costs_that_call_alone(until: Until) -> None:
    async with Sandbox(workers=1, spares=0) as sandbox:
        [before] = sandbox.worker_pids
        running = asyncio.create_task(sandbox.run(MOODY, [["-1"], ["7"]], owner="x", timeout_ms=60_000))
        await until(lambda: computes(before))
        os.kill(before, signal.SIGKILL)
        [died, carried_on] = await running
        assert died == Threw("something on this machine killed the process that ran it", FailureKind.KILLED)
        assert carried_on == Returned("7")
        await until(lambda: len(sandbox.worker_pids) == 1 and before not in sandbox.worker_pids)


async def test_a_process_that_ends_by_itself_is_laid_to_the_code_that_it_ran(until: Until) -> None:
    async with Sandbox(workers=1, spares=0) as sandbox:
        [worker] = sandbox.worker_pids
        running = asyncio.create_task(sandbox.run(FOREVER, [["1"]], owner="x", timeout_ms=60_000))
        await until(lambda: computes(worker))
        os.kill(worker, signal.SIGSEGV)
        assert await running == [Threw("its process crashed: SIGSEGV", FailureKind.CRASH)]


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (signal.SIGKILL, NotRunError("something on this machine killed the process that ran it")),
        (signal.SIGSEGV, SourceError("The source could not be read: it crashed the process", 1, 1)),
    ],
)
async def test_a_source_whose_reader_was_killed_is_not_called_wrong(ending: signal.Signals, told: Exception) -> None:
    async with Sandbox(workers=1, spares=0) as sandbox:
        [worker] = sandbox.worker_pids
        os.kill(worker, signal.SIGSTOP)
        reading = asyncio.create_task(sandbox.inspect("1", ()))
        await asyncio.sleep(0)
        os.kill(worker, ending)
        with contextlib.suppress(ProcessLookupError):  # SIGKILL ends a process that is stopped, too.
            os.kill(worker, signal.SIGCONT)
        with pytest.raises(type(told), match=re.escape(str(told))):
            await reading


def computes(pid: int) -> bool:
    return psutil.Process(pid).cpu_times().user > 0.2


async def test_the_time_that_a_busy_machine_gives_to_others_is_not_counted() -> None:
    async with Sandbox(workers=1, spares=0, limits=Limits(patience=1_000)) as sandbox:
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
        [starved, carried_on] = await sandbox.run(ECHO, [["1"], ["2"]], owner="x", timeout_ms=50)
        assert starved == Threw("this machine was too busy to run it", FailureKind.STARVED)
        assert carried_on == Returned("2")


async def test_a_worker_that_dies_idle_costs_nobody_a_call(until: Until) -> None:
    async with Sandbox(workers=1, spares=0) as sandbox:
        [before] = sandbox.worker_pids
        os.kill(before, signal.SIGKILL)
        # The process is gone a moment before the loop is told so.
        await until(lambda: not psutil.pid_exists(before) and all(worker.ended for worker in sandbox._workers))
        assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]
        assert before not in sandbox.worker_pids


async def test_the_pool_has_all_its_workers_again_after_deaths(until: Until) -> None:
    async with Sandbox(workers=2, spares=1, deaths=100) as sandbox:
        first = sandbox.worker_pids
        await asyncio.gather(*(sandbox.run(FOREVER, [["1"]], owner=f"o{n}", timeout_ms=100) for n in range(4)))
        await until(lambda: len(sandbox.worker_pids) == 3 and not sandbox.worker_pids >= first)
        assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]


async def test_a_cancelled_call_takes_its_worker_along(until: Until) -> None:
    async with Sandbox(workers=1, spares=0, limits=VOLUNTEER) as sandbox:
        [before] = sandbox.worker_pids
        running = asyncio.create_task(sandbox.run(FOREVER, [["1"]], owner="x"))
        await until(lambda: computes(before))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not alive(before))
        assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]


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


async def test_closing_kills_every_worker_and_ends_the_calls_under_way(until: Until) -> None:
    sandbox = Sandbox(workers=1, spares=1)
    await sandbox.start()
    pids = sandbox.worker_pids
    tasks = [
        asyncio.create_task(sandbox.run(FOREVER, [["1"], ["2"]], owner=f"o{n}", timeout_ms=60_000)) for n in range(2)
    ]
    await until(lambda: any(computes(pid) for pid in pids))
    await sandbox.close()
    assert not any(alive(pid) for pid in pids)
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, SandboxClosedError)
    with pytest.raises(SandboxClosedError):
        await sandbox.inspect("1", ())


async def test_a_closed_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox(workers=1, spares=0)
    for _ in range(2):
        async with sandbox:
            assert await sandbox.run(ECHO, [["1"]], owner="x") == [Returned("1")]


async def test_a_flag_that_v8_does_not_know_stops_the_start() -> None:
    sandbox = Sandbox(workers=1, spares=0, limits=Limits(flags=("--no-such-flag",)))
    with pytest.raises(WorkerStartError, match="V8 ignored some of its flags"):
        await sandbox.start()
    assert not sandbox.worker_pids


async def test_workers_die_with_their_server(until: Until) -> None:
    program = """
import asyncio
from sandbox import Function, Sandbox
async def main():
    sandbox = Sandbox(workers=1, spares=1)
    await sandbox.start()
    busy = asyncio.create_task(sandbox.run(Function("for(;;);", ()), [[]], owner="x", timeout_ms=600_000))
    print(*sandbox.worker_pids, flush=True)
    await busy
asyncio.run(main())
"""
    root = Path(__file__).parent.parent.parent
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=root, stdout=subprocess.PIPE)
    assert server.stdout is not None
    pids = [int(pid) for pid in (await server.stdout.readline()).split()]
    assert len(pids) == 2
    await until(lambda: any(computes(pid) for pid in pids))
    with contextlib.suppress(ProcessLookupError):
        server.kill()
    await server.wait()
    await until(lambda: not any(alive(pid) for pid in pids))


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
    async with Sandbox(workers=1, spares=0, deaths=1) as sandbox, asyncio.timeout(60):
        before = sandbox.worker_pids
        # On a busy machine a context may be closed before what it left behind has started: then nothing outlives.
        while (outcome := await sandbox.run(haunting, [[]], owner="x")) == [Returned("true")]:
            pass
        assert not sandbox.worker_pids & before
    assert isinstance(outcome[0], Threw)
    assert outcome[0].kind == FailureKind.CIRCUIT_OPEN
