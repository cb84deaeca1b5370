"""Clients of the original pool know of variables only, and compute flows all the same where no context is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from server.app import Service, application
from server.settings import Settings

SQUARE = {"name": "square", "execute_function": "context.result = variable.x * variable.x; return context;"}


@pytest.fixture
async def pool() -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(database="mock", sandbox_workers=1)
    service = Service(settings)
    async with service.running():
        transport = httpx.ASGITransport(application(service, settings))
        headers = {"accept": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://pool", headers=headers) as client:
            await client.post("/jobs", json=SQUARE)
            for number in range(3):
                await client.post(f"/jobs/square/variables?id=v{number}", json={"x": number})
            yield client


async def submitted(pool: httpx.AsyncClient, flow: dict[str, object]) -> str:
    return str((await pool.post("/flows", json=flow)).json()["_links"]["self"]["href"])


async def test_a_variable_that_a_flow_waits_for_is_offered_before_others(pool: httpx.AsyncClient) -> None:
    await submitted(pool, {"jobs": [{"job": "square", "variable": "v2"}]})
    offered = [(await pool.get("/jobs/square/variables")).json()["_id"] for _ in range(10)]
    assert offered == ["v2"] * 10


async def test_one_posted_result_serves_the_variable_and_the_flow(pool: httpx.AsyncClient) -> None:
    flow = await submitted(pool, {"jobs": [{"job": "square", "variable": "v2"}]})
    answer = await pool.post("/jobs/square/variables/v2/results", json=4)
    stored = (await pool.get(answer.headers["location"])).json()
    ended = (await pool.get(flow)).json()
    assert (answer.status_code, stored["verdict"]) == (201, "CANONICAL")
    assert (ended["state"], ended["result"]) == ("COMPLETED", {"square": 4})


async def test_a_run_with_a_context_is_left_to_clients_that_know_contexts(pool: httpx.AsyncClient) -> None:
    flow = await submitted(
        pool,
        {
            "jobs": [{"job": "square", "variable": "v2"}],
            "dependent": {"jobs": [{"job": "square", "variable": "v1"}]},
        },
    )
    await pool.post("/jobs/square/variables/v1/results", json=1)
    await pool.post("/jobs/square/variables/v2/results", json=4)
    assert (await pool.get(flow)).json()["state"] == "RUNNING"
