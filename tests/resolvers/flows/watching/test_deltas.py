"""What watchers are told of a flow, from its submission to its end."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from resolvers.flows import control
from resolvers.runtime import Runtime
from server.sweeper import Sweeper
from storage import FlowState, NodeState
from tests.resolvers.flows.hive import submit
from tests.resolvers.flows.watching.dashboard import ROOT, STANDSTILL, Dashboard, stored, volunteers
from tests.resolvers.playing import Died, mortal


async def test_what_an_owner_does_meanwhile_is_told_and_each_generation_only_grows(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random
) -> None:
    flow = await submit(runtime, ROOT, keep_going=True)
    dashboard = Dashboard(flow.key)
    acts = [
        (control.pause, FlowState.PAUSED),
        (control.resume, FlowState.RUNNING),
        (control.cancel, FlowState.CANCELLED),
        (control.retry, FlowState.RUNNING),
    ]
    # All but the last level's: it does not complete before its owner is done.
    supported = frozenset({"count", "number", "flaky", "object"})

    async def own() -> None:
        nonlocal supported
        for act, state in [*acts, *acts]:
            await asyncio.sleep(chance.uniform(0, 0.5))
            await act(runtime, flow.key)
            await dashboard.until_told(state)
        supported = frozenset()

    async with (
        volunteers([runtime, elsewhere], chance, pause_s=0.2, supported=lambda: supported),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(own())
        while not dashboard.ended or dashboard.deltas[-1].flow.generation < 2:
            await dashboard.follow(elsewhere)
            await asyncio.sleep(0.05)
    assert dashboard.jobs == await stored(runtime, flow.key)
    generations = [delta.flow.generation for delta in dashboard.deltas]
    assert generations == sorted(generations)
    assert set(generations) == {0, 1, 2}
    told = {delta.flow.state for delta in dashboard.deltas}
    assert {FlowState.PAUSED, FlowState.RUNNING, FlowState.CANCELLED, FlowState.COMPLETED} <= told
    assert dashboard.deltas[-1].flow.state == FlowState.COMPLETED


async def test_progress_does_not_run_back_while_a_retry_is_under_way(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that died over it leaves jobs CANCELLED that wait for the sweeper to reopen them."""
    runtime.takeover_ms = elsewhere.takeover_ms = 100
    flow = await submit(runtime, ROOT)
    await control.cancel(runtime, flow.key)
    with mortal(monkeypatch) as end, suppress(Died):
        # Once it runs again, and before anything is reopened.
        end.operations = 5
        await control.retry(runtime, flow.key)
    dashboard = Dashboard(flow.key)
    await dashboard.follow(elsewhere, most=1)
    first = dashboard.deltas[0]
    assert (first.flow.state, first.flow.generation) == (FlowState.RUNNING, 1)
    assert set((await stored(runtime, flow.key)).values()) >= {(NodeState.CANCELLED, 0)}
    skipped = first.progress.by_state[NodeState.SKIPPED]
    assert first.progress.ended == skipped
    assert first.progress.by_state[NodeState.WAITING] == first.progress.total - skipped
    async with Sweeper(elsewhere, 0.05), volunteers([runtime], chance, pause_s=0.01):
        await dashboard.follow(elsewhere)
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_a_flow_that_has_ended_is_told_in_one_delta(runtime: Runtime, chance: random.Random) -> None:
    flow = await submit(runtime, STANDSTILL)
    early = Dashboard(flow.key)
    await early.follow(runtime, most=1)
    async with volunteers([runtime], chance, pause_s=0.0):
        await Dashboard(flow.key).follow(runtime)
    late = Dashboard(flow.key)
    await late.follow(runtime)
    [told] = late.deltas
    assert (told.reset, told.flow.state) == (True, FlowState.COMPLETED)
    await early.follow(runtime)
    [_, told] = early.deltas
    assert (told.reset, [each.state for each in told.jobs]) == (False, [NodeState.COMPLETED])
