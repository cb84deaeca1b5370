"""Clients that come back, that are slow, or whose process stops."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import Any

import pytest

from resolvers.errors import BadInput, NotFound, Unavailable
from resolvers.flows import watching
from resolvers.flows.watching import watch
from resolvers.runtime import Runtime
from storage import FlowState
from storage.engines.clock import revision_at
from tests.resolvers.flows.hive import submit
from tests.resolvers.flows.watching.dashboard import PATIENCE_S, ROOT, STANDSTILL, Dashboard, stored, volunteers


@pytest.mark.parametrize("most_nodes", [watching.MOST_NODES, 3])
async def test_a_client_that_loses_its_connection_misses_nothing(
    runtime: Runtime,
    elsewhere: Runtime,
    chance: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    most_nodes: int,
) -> None:
    """Whichever process it comes back to; with few jobs a delta it is told to read all of them anew."""
    monkeypatch.setattr(watching, "MOST_NODES", most_nodes)
    flow = await submit(runtime, ROOT, keep_going=True)
    steady, jumpy = Dashboard(flow.key), Dashboard(flow.key)
    async with volunteers([runtime, elsewhere], chance), asyncio.TaskGroup() as group:
        group.create_task(steady.follow(elsewhere))
        while not jumpy.ended:
            await jumpy.follow(chance.choice([runtime, elsewhere]), most=chance.randint(1, 4))
            await asyncio.sleep(chance.uniform(0, 1))
    final = await stored(runtime, flow.key)
    assert steady.jobs == jumpy.jobs == final
    for dashboard in (steady, jumpy):
        assert dashboard.deltas[-1].flow.state == FlowState.COMPLETED
        assert dashboard.deltas[-1].progress.fraction == 1.0
        resets = [delta for delta in dashboard.deltas if delta.reset]
        assert len(resets) > 1 if most_nodes == 3 else resets == dashboard.deltas[:1]
        assert all(not delta.jobs for delta in resets)
        assert [delta.cursor for delta in dashboard.deltas] == sorted(delta.cursor for delta in dashboard.deltas)


async def test_a_slow_client_gets_fewer_and_larger_deltas_and_nothing_piles_up_for_it(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    changed_since = elsewhere.store.flow_jobs.changed_since

    async def counted(*said: Any) -> Any:
        nonlocal reads
        reads += 1
        return await changed_since(*said)

    monkeypatch.setattr(elsewhere.store.flow_jobs, "changed_since", counted)
    flow = await submit(runtime, ROOT, keep_going=True)
    quick, slow = Dashboard(flow.key), Dashboard(flow.key)
    async with volunteers([runtime], chance, pause_s=0.15), aclosing(watch(elsewhere, flow.key)) as deltas:
        await slow.take(elsewhere, await anext(deltas))
        await slow.take(elsewhere, await anext(deltas))
        before = reads
        await quick.follow(runtime)
        # All the while it was asked for nothing, and did nothing.
        assert reads == before
        async for delta in deltas:
            await slow.take(elsewhere, delta)
    assert slow.jobs == quick.jobs == await stored(runtime, flow.key)
    assert len(slow.deltas) == 3
    assert len(quick.deltas) > 6
    assert len(slow.deltas[-1].jobs) > max(len(delta.jobs) for delta in quick.deltas[:-1])


async def test_a_process_that_stops_ends_its_streams_at_once_and_another_goes_on(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(runtime, ROOT, keep_going=True)
    dashboard = Dashboard(flow.key)
    async with aclosing(watch(elsewhere, flow.key)) as deltas:
        await dashboard.take(elsewhere, await anext(deltas))
        await dashboard.take(elsewhere, await anext(deltas))
        # It waits for what changes, and nothing does.
        monkeypatch.setattr(watching, "POLL_S", 10 * PATIENCE_S)
        asking = asyncio.ensure_future(anext(deltas))
        await asyncio.sleep(2 * watching.PAUSE_S)
        elsewhere.drain()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(Unavailable):
                await asking
    with pytest.raises(Unavailable):
        await dashboard.follow(elsewhere)
    async with volunteers([runtime], chance, pause_s=0.01):
        await dashboard.follow(runtime)
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_what_can_not_be_watched_is_refused(runtime: Runtime) -> None:
    flow = await submit(runtime, STANDSTILL)
    with pytest.raises(NotFound):
        await anext(watch(runtime, "nothing"))
    future = revision_at(runtime.now() + 5_000)
    for cursor in ("x", "0" * 31, "0" * 33, "g" * 32, "\0", "f" * 32, future):
        with pytest.raises(BadInput) as refused:
            await anext(watch(runtime, flow.key, cursor))
        assert refused.value.field == "after"
