"""How a job with very many variables is removed."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.deleting import jobs as deleting
from resolvers.sweeping.deletions import STEP
from resolvers.sweeping.sweep import sweep
from sandbox import Sandbox
from storage import open_store
from storage.engines import Collection
from tests.resolvers.deleting.ledger import counted
from tests.resolvers.playing import Clock, Volunteer, new_job, post, process


async def test_ten_thousand_variables_are_removed_a_few_hundred_documents_at_a_time(
    large_location: str, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(large_location) as store:
        runtime = await process(store.database, sandbox, clock)
        await new_job(runtime)
        await post(runtime, "double", range(10_000))
        await Volunteer("ann").work(runtime, 100)
        with store.database.count() as deleting_it:
            await deleting.delete(runtime, "double")
        assert deleting_it.total() == 1, deleting_it
        sizes: list[int] = []
        delete_many = Collection.delete_many

        async def noted(self: Collection, where: Any) -> int:
            deleted = await delete_many(self, where)
            sizes.append(deleted)
            return deleted

        monkeypatch.setattr(Collection, "delete_many", noted)
        clock.advance(runtime.takeover_ms / 1000 + 1)
        costs = []
        while True:
            with store.database.count() as cost:
                if not (await sweep(runtime)).deleted:
                    break
            costs.append(cost.total())
        assert await counted(store) == {}
        assert max(sizes) <= STEP
        assert sum(sizes) >= 2 * 10_000
        # As many sweeps as there are steps, and each costs no more for the size of the job.
        assert len(costs) <= 10_000 / STEP + 5
        assert max(costs) <= 50, costs
