"""Watchers are woken by what changes, and by nothing else."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import pytest

from resolvers.flows import control, watching
from resolvers.flows.poller import FlowPoller
from resolvers.flows.watching import watch
from resolvers.runtime import Runtime
from storage import Flow
from tests.resolvers.flows.hive import submit
from tests.resolvers.flows.watching.dashboard import PATIENCE_S, STANDSTILL, Dashboard, volunteers


async def test_nothing_is_told_while_nothing_changes(runtime: Runtime) -> None:
    flow = await submit(runtime, STANDSTILL)
    async with aclosing(watch(runtime, flow.key)) as deltas, asyncio.timeout(PATIENCE_S):
        # Its submission is told once more when it is old enough to be told for good.
        assert [len((await anext(deltas)).jobs) for _ in range(2)] == [0, 1]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deltas), watching.POLL_S + 1)


async def test_only_the_watchers_of_a_flow_that_changed_look_at_it(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random
) -> None:
    still, lively = await submit(runtime, STANDSTILL), None
    await control.pause(runtime, still.key)
    with elsewhere.part(FlowPoller).watching(still.id) as woken:
        lively = await submit(runtime, STANDSTILL)
        dashboard = Dashboard(lively.key)
        async with volunteers([runtime], chance, pause_s=0.2):
            await dashboard.follow(elsewhere)
        assert not woken.is_set()
        await control.cancel(runtime, still.key)
        async with asyncio.timeout(PATIENCE_S):
            await woken.wait()


async def test_the_poller_rests_while_nobody_watches(runtime: Runtime) -> None:
    flow: Flow = await submit(runtime, STANDSTILL)
    await Dashboard(flow.key).follow(runtime, most=1)
    [poller] = [task for task in asyncio.all_tasks() if task.get_name() == "flow poller"]
    async with asyncio.timeout(PATIENCE_S):
        await poller
