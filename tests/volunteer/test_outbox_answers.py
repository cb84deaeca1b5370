"""The native volunteer's outbox on the table of a pool's answers, over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from comp_pool import ErrorCode, PoolClient
from tests.answering_pool import NAMES, ROWS, TASKS, AnsweringPool, answering_pool, value_of
from volunteer import Event, Identity, Waiting
from volunteer.asking import Asking
from volunteer.calls import LeasedTask, PoolCalls, Report
from volunteer.outbox import Outbox

DEADLINE_S = 120.0
SILENCE_S = 3.0
"""How long it waits for a pool that does not answer."""


def report(task: str) -> Report:
    leased = LeasedTask(task, "lease", "job", "sha256", variable=None, context={}, delay_bound_s=600)
    return Report(leased, elapsed_ms=1, value=value_of(task), context={})


async def outcomes(pool: AnsweringPool, row: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What became of the report of each task, and what was told while posts were put off."""
    waits: list[str] = []
    settled: list[str] = []
    changed = asyncio.Event()

    def tell(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event.why)
        changed.set()

    def settle(task: LeasedTask) -> None:
        settled.append(task.id)
        changed.set()

    async def until(condition: Callable[[], bool]) -> None:
        while not condition():
            changed.clear()
            await changed.wait()

    timeout_s = SILENCE_S if row["answer"].get("connection") == "silent" else DEADLINE_S
    async with PoolClient(pool.url, timeout_s=timeout_s) as client, asyncio.timeout(DEADLINE_S):
        asking = Asking(tell, longest_wait_s=0.1)
        outbox = Outbox(PoolCalls(client), Identity("host.signature", lambda _: None), tell, asking, settle)
        for task in TASKS:
            outbox.put(report(task))
        await pool.play(row)
        posting = asyncio.create_task(outbox.post_for_ever())
        if row["answer"].get("connection") == "refused":
            await until(lambda: len(waits) > 0)
            await pool.listen()
        await until(lambda: pool.is_over(len(settled)))
        posting.cancel()
    assert len(outbox) == len(TASKS) - len(settled)
    return {task: pool.taken.get(task, "lost") if task in settled else "kept" for task in TASKS}, waits


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_what_becomes_of_reports(row: dict[str, Any]) -> None:
    async with answering_pool() as pool:
        assert pool.problem(*await outcomes(pool, row)) == ""


def test_the_table_has_every_code_of_the_schema() -> None:
    refused = {row["answer"].get("member") for row in ROWS}
    assert set(ErrorCode) <= refused
