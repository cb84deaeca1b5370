"""Several processes can share one engine: none takes what another has."""

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from storage.engines import Index, open_database


@pytest.mark.parametrize("how", ["one", "many"])
async def test_no_task_is_claimed_by_two_processes(shared_location: str, how: str) -> None:
    await _check_claims(shared_location, how, processes=3, tasks=400)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["one", "many"])
async def test_no_task_of_very_many_is_claimed_by_two_processes(large_location: str, how: str) -> None:
    await _check_claims(large_location, how, processes=6, tasks=20_000)


async def _check_claims(uri: str, how: str, *, processes: int, tasks: int) -> None:
    async with open_database(uri, indexes=_CLAIM_INDEXES) as database:
        ids = {f"t{n}" for n in range(tasks)}
        await database.collection("tasks").insert_many(
            [{"_id": _id, "status": "ready", "rand": random.random(), "lease": "", "attempt": 0} for _id in ids]
        )
        claimed = await _claim_all(uri, how, processes)
        assert [_id for _id, times in Counter(claimed).items() if times > 1] == []
        assert set(claimed) == ids
        assert await database.collection("tasks").group_count({}, "attempt") == {1: tasks}


_CLAIM_INDEXES = {"tasks": [Index(("status", "rand")), Index(("lease",))]}


async def _claim_all(uri: str, how: str, processes: int) -> list[str]:
    """Let processes that start together claim all tasks; return every claim that was made."""
    claimants = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            Path(__file__).with_name("claimant.py"),
            uri,
            how,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(processes)
    ]
    for claimant in claimants:
        assert claimant.stdout
        assert await claimant.stdout.readline() == b"READY\n"
    outputs = await asyncio.gather(*(claimant.communicate(b"go\n") for claimant in claimants))
    return [_id for output, _ in outputs for _id in output.decode().split()]
