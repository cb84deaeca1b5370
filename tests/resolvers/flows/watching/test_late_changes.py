"""Changes that are stored later than their revisions say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from resolvers.flows import control, reading, watching
from resolvers.flows.watching import watch
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from storage import FlowState, NodeState
from storage.engines import Collection
from storage.engines.clock import revision_at
from tests.resolvers.flows.hive import report, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.watching.dashboard import PATIENCE_S, STANDSTILL, Dashboard, stored, volunteers

LATE_S = watching.HOLD_BACK_MS / 1000 + 1


class Dragging:
    """A collection that takes its time over the first update that ends something, and over the first `renewals` of
    its revision."""

    def __init__(self, collection: Collection, renewals: int) -> None:
        self._collection = collection
        self._renewals = renewals
        self.dragged = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def update_many(self, where: Any, changes: Any) -> int:
        renewal = where.keys() == {"rev"}
        if (renewal and self._renewals) or (changes["$set"].get("ended") and not self.dragged.is_set()):
            self._renewals -= renewal
            self.dragged.set()
            await asyncio.sleep(LATE_S)
        return await self._collection.update_many(where, changes)


@pytest.mark.parametrize("renewals", [0, 1])
async def test_a_change_that_another_process_stored_too_late_is_told_all_the_same(
    runtime: Runtime, elsewhere: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch, renewals: int
) -> None:
    """Its revision is from before what watchers were told of meanwhile."""
    flow = await submit(runtime, Level([Job("bare")], [Level([Job("number", "three")] * 40)]))
    dragging = Dragging(elsewhere.store.flow_jobs._collection, renewals)
    monkeypatch.setattr(elsewhere.store.flow_jobs, "_collection", dragging)
    [late] = (await claims.claim(elsewhere, ClaimRequest("slow"))).tasks
    dashboard = Dashboard(flow.key)
    async with volunteers([runtime], chance, pause_s=0.15), asyncio.TaskGroup() as group:
        group.create_task(dashboard.follow(runtime))
        group.create_task(reports.submit(elsewhere, "slow", [report("slow", late)]))
    assert dragging.dragged.is_set()
    assert sum(delta.reset for delta in dashboard.deltas) == 1
    assert dashboard.jobs == await stored(runtime, flow.key)


async def test_what_is_cancelled_after_a_stall_is_told(
    runtime: Runtime, elsewhere: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(runtime, Level([Job("bare")], [Level([Job("number", "three")] * 5)]))
    monkeypatch.setattr(elsewhere.store.levels, "cancel_flow", after_a_stall(elsewhere.store.levels.cancel_flow))
    dashboard = Dashboard(flow.key)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(dashboard.follow(runtime))
        group.create_task(control.cancel(elsewhere, flow.key))
    assert {state for state, _ in dashboard.jobs.values()} == {NodeState.CANCELLED}


async def test_of_a_flow_that_is_long_in_coming_every_job_is_told(
    runtime: Runtime, elsewhere: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    stalled = after_a_stall(elsewhere.store.flow_jobs.insert_many, begun)
    monkeypatch.setattr(elsewhere.store.flow_jobs, "insert_many", stalled)
    submitting = asyncio.create_task(submit(elsewhere, Level([Job("bare")], [STANDSTILL])))
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        [flow], _ = await reading.page(runtime, first=1)
        dashboard = Dashboard(flow.key)
        async with aclosing(watch(runtime, dashboard.key)) as deltas:
            async for delta in deltas:
                await dashboard.take(runtime, delta)
                if len(dashboard.jobs) == 2 and delta.flow.state == FlowState.RUNNING:
                    break
    await submitting


def after_a_stall(
    method: Callable[..., Awaitable[Any]], begun: asyncio.Event | None = None
) -> Callable[..., Awaitable[Any]]:
    """The method, before which its process stands still for longer than watchers hold back what they are told."""

    async def stalled(*said: Any, **more: Any) -> Any:
        if begun is not None:
            begun.set()
        await asyncio.sleep(LATE_S)
        return await method(*said, **more)

    return stalled


@pytest.mark.parametrize("most_nodes", [watching.MOST_NODES, 3])
async def test_at_its_end_a_flow_tells_once_more_what_may_have_been_stored_late(
    runtime: Runtime, chance: random.Random, monkeypatch: pytest.MonkeyPatch, most_nodes: int
) -> None:
    monkeypatch.setattr(watching, "MOST_NODES", most_nodes)
    flow = await submit(runtime, Level([Job("number", "three")] * 5))
    async with volunteers([runtime], chance, pause_s=0.0):
        await Dashboard(flow.key).follow(runtime)
    behind_all = revision_at(runtime.store.clock.now() - 1)
    async with aclosing(watch(runtime, flow.key, behind_all)) as deltas:
        [told] = [delta async for delta in deltas]
    assert (told.reset, len(told.jobs)) == ((False, 5) if most_nodes > 3 else (True, 0))
