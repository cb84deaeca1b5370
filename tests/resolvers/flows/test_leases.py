"""What a host learns of its leases when the flow is not wanted any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from resolvers.errors import LeaseLost
from resolvers.flows import control
from resolvers.runtime import Runtime
from resolvers.volunteers import leases
from storage import Verdict
from tests.resolvers.flows.hive import open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import claim, report_all
from tests.resolvers.playing import leases_of

NUMBERS = Level([Job("number", "three"), Job("number", "zero")])


async def cancel_and_retry(runtime: Runtime, key: str) -> None:
    await control.cancel(runtime, key)
    await control.retry(runtime, key)


@pytest.mark.parametrize("end", [control.cancel, cancel_and_retry])
async def test_a_host_learns_that_its_flow_was_cancelled_and_what_it_sends_all_the_same_is_kept(
    runtime: Runtime, end: Callable[[Runtime, str], Awaitable[Any]]
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, NUMBERS)
    claimed = await claim(runtime)
    assert all(each.task for each in await leases.extend(runtime, leases_of(claimed)))
    await end(runtime, flow.key)
    for at, each in enumerate(await leases.extend(runtime, leases_of(claimed))):
        assert each.task is None
        assert isinstance(each.problem, LeaseLost)
        assert each.problem.field == f"tasks[{at}]"
        assert each.problem.message == (
            f"nobody waits for the task {claimed[at].task.id} any more, stop computing it: "
            "the flow was cancelled: its owner cancelled it"
        )
    receipts = await report_all(runtime, claimed)
    assert {each.result.verdict for each in receipts if each.result} == {Verdict.TOO_LATE}


async def test_a_host_learns_that_its_flow_has_failed(runtime: Runtime) -> None:
    await open_pool(runtime)
    await submit(runtime, Level([Job("broken", policy={"max_errors": 1}), Job("number", "zero")]))
    claimed = {each.job.key: each for each in await claim(runtime)}
    await report_all(runtime, [claimed["broken"]])
    [extension] = await leases.extend(runtime, leases_of([claimed["number"]]))
    assert extension.problem is not None
    assert "stop computing it: the flow failed: its job 'broken' failed" in extension.problem.message


async def test_a_pause_leaves_leases_alone(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, NUMBERS)
    claimed = await claim(runtime)
    await control.pause(runtime, flow.key)
    assert all(each.task for each in await leases.extend(runtime, leases_of(claimed)))
