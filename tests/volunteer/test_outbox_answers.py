"""The native volunteer's outbox on the table of a pool's answers, over HTTP."""

import asyncio
from typing import Any

import pytest

from comp_pool import ErrorCode, PoolClient
from tests.answering_pool import NAMES, ROWS, TASKS, AnsweringPool, answering_pool, value_of
from volunteer import Event, Identity, Judged, Waiting
from volunteer.asking import Asking
from volunteer.calls import LeasedTask, PoolCalls, Report
from volunteer.outbox import Outbox

DEADLINE_S = 60.0
LOOK_S = 0.01
TIMEOUT_S = 0.5


def report(task: str) -> Report:
    leased = LeasedTask(task, "lease", "job", "sha256", variable=None, context={}, delay_bound_s=600)
    return Report(leased, elapsed_ms=1, value=value_of(task), context={})


async def outcomes(pool: AnsweringPool, row: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What became of the report of each task, and what was told while posts were put off."""
    events: list[Event] = []
    settled: list[str] = []
    async with PoolClient(pool.url, timeout_s=TIMEOUT_S) as client:
        asking = Asking(events.append, longest_wait_s=0.1)
        identity = Identity("host.signature", lambda _: None)
        outbox = Outbox(PoolCalls(client), identity, events.append, asking, lambda task: settled.append(task.id))
        for task in TASKS:
            outbox.put(report(task))
        await pool.play(row)
        posting = asyncio.create_task(outbox.post_for_ever())
        async with asyncio.timeout(DEADLINE_S):
            if row["answer"].get("connection") == "refused":
                while not any(isinstance(event, Waiting) for event in events):
                    await asyncio.sleep(LOOK_S)
                await pool.listen()
            while not pool.is_over(len(settled)):
                await asyncio.sleep(LOOK_S)
        posting.cancel()
    became = {task: pool.taken.get(task, "lost") if task in settled else "kept" for task in TASKS}
    judged = [event for event in events if isinstance(event, Judged)]
    assert len(judged) == len(pool.taken)
    return became, [event.why for event in events if isinstance(event, Waiting)]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_what_becomes_of_reports(row: dict[str, Any]) -> None:
    async with answering_pool() as pool:
        assert pool.problem(*await outcomes(pool, row)) == ""


def test_the_table_has_every_code_of_the_schema() -> None:
    refused = {row["answer"].get("member") for row in ROWS}
    assert set(ErrorCode) <= refused
