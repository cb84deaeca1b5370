"""A page of a job's variables costs the same however many variables there are."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from fastapi import FastAPI

from server.app import create_app
from server.settings import Settings
from storage import Store, UnitState, Variable
from tests.contract.scenario import EXECUTE, links

FEW, MANY = 100, 20_000
PAGE = 100
TRIES = 5


@pytest_asyncio.fixture
async def app() -> AsyncIterator[FastAPI]:
    running = create_app(Settings(database="mock", sandbox_workers=1, sweep_seconds=3600))
    async with running.router.lifespan_context(running) as state:
        assert state is not None
        running.state.store = state["runtime"].store
        yield running


async def fill(store: Store, job: str, count: int) -> None:
    """Stores open variables as if they had been posted."""
    chance = random.Random(count)
    for start in range(0, count, 10_000):
        await store.variables.insert_many(
            [
                Variable(
                    id=Variable.id_of(job, f"v{number}"),
                    key=f"v{number}",
                    job=job,
                    value="1",
                    seq=f"{number:032x}",
                    rand=chance.random(),
                    state=UnitState.OPEN,
                    due=0,
                    created_at=0,
                )
                for number in range(start, min(start + 10_000, count))
            ]
        )


async def test_line_11_a_page_of_many_variables_takes_no_more_operations_than_one_of_few(app: FastAPI) -> None:
    store: Store = app.state.store
    operations = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pool.example") as client:
        for name, count in (("few", FEW), ("many", MANY)):
            await client.post("/jobs", json={"name": name, "execute_function": EXECUTE})
            await fill(store, name, count)
            costs = []
            for _ in range(TRIES):  # The server's own chores may come in between.
                with store.database.count() as counted:
                    page = links(await client.get(f"/jobs/{name}/variables"))
                assert len(page["variables"]) == PAGE
                assert ("next" in page) == (count > PAGE)
                costs.append(counted.total())
            operations[name] = min(costs)
    # Of few the random order always comes round to its beginning, which takes one more.
    assert operations["many"] <= operations["few"] <= 5
