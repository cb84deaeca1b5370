"""A worker that dies costs the call that it ran, and nothing else."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sandbox import VOLUNTEER, FailureKind, NotRun, Returned, Sandbox, SandboxClosed, Threw, Unparsable
from tests.sandbox.workers import ECHO, FOREVER, MOODY, Until, alive, computes

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="watches the workers in /proc"),
]


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
        (signal.SIGKILL, NotRun("something on this machine killed the process that ran it")),
        (signal.SIGSEGV, Unparsable("The source could not be read: it crashed the process", 1, 1)),
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
        assert isinstance(ended, SandboxClosed)
    with pytest.raises(SandboxClosed):
        await sandbox.inspect("1", ())


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
