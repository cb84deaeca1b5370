"""Watching flows where the store tells of changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from resolvers.flows import control, watching
from resolvers.flows.poller import FlowPoller
from sandbox import Sandbox
from storage import FlowState, open_store
from storage.engines import changes
from tests.resolvers.flows.hive import open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.runtimes import start_runtime

LONG_S = 240.0
SOON_S = 120.0


async def test_a_watcher_is_woken_by_what_another_process_changed_and_looks_for_nothing_meanwhile(
    replica_set_location: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "QUIET_S", LONG_S)
    monkeypatch.setattr(watching, "POLL_S", LONG_S)
    looked = 0
    look = FlowPoller._look

    async def counted(self: FlowPoller) -> None:
        nonlocal looked
        looked += 1
        await look(self)

    monkeypatch.setattr(FlowPoller, "_look", counted)
    async with open_store(replica_set_location) as here, open_store(replica_set_location) as there:
        watched, elsewhere = await start_runtime(here, sandbox), await start_runtime(there, sandbox)
        await open_pool(elsewhere)
        flow = await submit(elsewhere, Level([Job("number", "three")]))
        async with asyncio.timeout(SOON_S), aclosing(watching.watch(watched, flow.key)) as deltas:
            assert (await anext(deltas)).flow.state == FlowState.RUNNING
            for act, state in [(control.pause, FlowState.PAUSED), (control.resume, FlowState.RUNNING)]:
                told = asyncio.ensure_future(anext(deltas))
                await act(elsewhere, flow.key)
                assert (await told).flow.state == state
        # Each change may be seen by two looks: the one that it woke, and one that was under way.
        assert looked <= 1 + 2 * 2
        await watched.close()
        await elsewhere.close()
