"""Telling what changes in the pool: whoever puts the deltas together knows the pool, whatever connections it loses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from unittest.mock import AsyncMock

import pytest
import pytest_asyncio

from resolvers.errors import BadInput, Unavailable
from resolvers.pool import activity, counts
from resolvers.pool.activity import COUNTS, PoolDelta, watch
from resolvers.pool.counts import PoolStatusCache
from resolvers.runtime import Runtime
from resolvers.volunteers import hosts
from storage import Store
from storage.engines.clock import TIME_DIGITS
from tests.resolvers.playing import Clock, Volunteer, new_job, post
from tests.runtimes import start_runtime


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are taken whenever they are asked for, and deltas come without a pause."""

    async def count(self: PoolStatusCache) -> counts.PoolStatus:
        return await self._count()

    monkeypatch.setattr(PoolStatusCache, "status", count)
    monkeypatch.setattr(activity, "PAUSE_S", 0.0)


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(runtime: Runtime, clock: Clock) -> AsyncIterator[Runtime]:
    """Another process on the same store."""
    started = await start_runtime(Store(runtime.store.database), runtime.sandbox, clock)
    yield started
    await started.close()


async def _next(runtime: Runtime, after: str = "") -> PoolDelta:
    async with aclosing(watch(runtime, after)) as deltas:
        return await anext(deltas)


def _told(delta: PoolDelta) -> dict[str, Any]:
    return {name: delta.claims if name == "claims" else getattr(delta.status, name) for name in delta.changed}


async def test_the_first_delta_tells_all_and_others_what_changed(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    async with aclosing(watch(runtime)) as deltas:
        first = await anext(deltas)
        assert first.changed == set(COUNTS)
        await post(runtime, "double", range(3))
        told = _told(await anext(deltas))
        assert told.keys() == {"tasks"}
        assert told["tasks"]["ready"] == 3
        clock.advance(1)
        await hosts.identify(runtime, None)
        assert _told(await anext(deltas)) == {"hosts": 1, "active_hosts": 1}


async def test_any_process_goes_on_from_a_cursor_with_what_is_different_by_then(
    runtime: Runtime, elsewhere: Runtime, clock: Clock
) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(8))
    worker = Volunteer((await hosts.identify(runtime, None)).key)
    delta = await _next(runtime)
    known = _told(delta)
    for at in range(8):
        await worker.work(runtime, 1)
        clock.advance(20)
        delta = await _next((runtime, elsewhere)[at % 2], delta.cursor)
        known |= _told(delta)
    now = await _next(elsewhere)
    assert known == _told(now)
    assert known["results_last_hour"] == 8
    assert known["results_last_minute"] == 3


async def test_who_comes_back_to_a_pool_that_stood_still_is_told_so_at_once(
    runtime: Runtime, elsewhere: Runtime
) -> None:
    await new_job(runtime)
    before = await _next(runtime)
    now = await _next(elsewhere, before.cursor)
    assert not now.changed
    assert now.cursor == before.cursor


async def test_a_process_whose_counts_are_older_than_its_client_tells_none_of_them(
    runtime: Runtime, elsewhere: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_job(runtime)
    await post(runtime, "double", range(3))
    old = await elsewhere.part(PoolStatusCache).status()
    clock.advance(1)
    await Volunteer((await hosts.identify(runtime, None)).key).work(runtime, 1)
    before = await _next(runtime)
    with monkeypatch.context() as patch:
        patch.setattr(PoolStatusCache, "status", AsyncMock(return_value=old))
        stale = await _next(elsewhere, before.cursor)
    assert stale.changed == {"claims"}
    assert stale.status.measured_at == before.status.measured_at
    clock.advance(1)
    await Volunteer((await hosts.identify(runtime, None)).key).work(runtime, 1)
    assert "tasks" in (await _next(elsewhere, stale.cursor)).changed


async def test_a_cursor_of_times_to_come_hides_nothing_for_longer_than_a_second(runtime: Runtime, clock: Clock) -> None:
    await new_job(runtime)
    before = await _next(runtime)
    async with aclosing(watch(runtime, "f" * TIME_DIGITS + before.cursor[TIME_DIGITS:])) as deltas:
        assert not (await anext(deltas)).changed
        await post(runtime, "double", range(3))
        clock.advance(1)
        assert "tasks" in (await anext(deltas)).changed


@pytest.mark.parametrize("cursor", ["x", "0" * 95, "0" * 97, "g" * 96, "0" * 95 + "\0"])
async def test_a_cursor_of_another_kind_is_refused(runtime: Runtime, cursor: str) -> None:
    with pytest.raises(BadInput, match="no cursor of this subscription") as refused:
        await _next(runtime, cursor)
    assert refused.value.field == "after"


async def test_a_process_that_stops_sends_its_clients_to_another_one(runtime: Runtime) -> None:
    async with aclosing(watch(runtime)) as deltas:
        await anext(deltas)
        runtime.drain()
        with pytest.raises(Unavailable, match="go on at another one"):
            await anext(deltas)
