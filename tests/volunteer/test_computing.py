"""The native volunteer's calls of jobs' functions, in real V8 processes."""

from __future__ import annotations

from dataclasses import asdict

from sandbox import VOLUNTEER, Sandbox
from tests import calls
from volunteer.calls import LeasedTask
from volunteer.computing import compute


async def test_a_call_gives_what_the_table_says() -> None:
    outcomes = {}
    async with Sandbox(workers=1, spares=1, limits=VOLUNTEER) as sandbox:
        for name, case in calls.CASES.items():
            task = LeasedTask(name, "lease", "job", "sha256", case.get("variable"), case.get("context", {}), 60.0)
            outcomes[name] = asdict(await compute(sandbox, task, case["source"], owner=name))
    calls.assert_all_hold(outcomes)
