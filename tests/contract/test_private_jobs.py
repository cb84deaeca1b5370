"""The documented interaction with a PRIVATE job, by a client that has no token and knows nothing of private jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.contract.conftest import OwnersOnly
from tests.contract.scenario import EXECUTE, Job, links
from tests.processes import PATIENCE_S, RunningServer
from tests.warm_servers import warm_server

ELSEWHERE = {"origin": "https://elsewhere.example"}
INPUT = {"data_field_one": {"foo": 1}}


@pytest.fixture(scope="module")
def private_server() -> Iterator[RunningServer]:
    with warm_server("memory", options=("--auth", "tokens")) as server:
        yield server


@pytest_asyncio.fixture
async def job(private_server: RunningServer) -> AsyncIterator[Job]:
    auth = OwnersOnly(private_server.operator_token)
    async with httpx.AsyncClient(
        base_url=private_server.url, timeout=PATIENCE_S, auth=auth, headers=ELSEWHERE
    ) as client:
        number = len(links(await client.get("/jobs"))["jobs"])
        body = {"name": f"Private {number}", "execute_function": EXECUTE}
        assert (await client.post("/jobs", json=body, headers={"origin": private_server.url})).status_code == 201
        yield Job(client, f"private-{number}")


async def add_variables(job: Job, count: int) -> None:
    for n in range(count):
        await job.variable({"n": n}, id=f"v{n}")


async def test_a_volunteer_reads_what_it_is_handed_out_and_posts_the_result(job: Job) -> None:
    await add_variables(job, 3)
    await job.variable(INPUT, id="mine")
    scheduled = links(await job.client.get("/jobs/scheduler"))["get_variables"]["href"]
    handed_out = await job.client.get(scheduled)
    variable = links(handed_out)["self"]["href"]
    again = await job.client.get(variable)
    assert again.status_code == 200
    assert links(again)["self"]["href"] == variable
    assert again.json()["variable"] == handed_out.json()["variable"]
    assert {name: again.json()[name] for name in again.json()["variable"]} == again.json()["variable"]
    assert "postMessage" in (await job.client.get(f"{variable}.js")).text
    made = await job.client.post(links(again)["post_result"]["href"], json={"sum": 2})
    assert made.status_code == 201
    assert made.headers["location"].startswith(f"{variable}/results/")
    echo = {name: made.json()[name] for name in ("from_job", "from_variable", "result")}
    assert echo == {"from_job": job.key, "from_variable": variable.rpartition("/")[2], "result": {"sum": 2}}


async def test_the_shipped_client_picks_from_the_links(job: Job) -> None:
    await add_variables(job, 20)
    page = links(await job.client.get(f"{job.url}/variables"))
    [link] = page["variables"]
    assert "next" not in page
    assert (await job.client.get(link["href"])).json()["variable"].keys() == {"n"}


async def test_whoever_posts_a_variable_can_follow_its_location(job: Job) -> None:
    made = await job.client.post(f"{job.url}/variables", json=INPUT)
    assert made.headers["location"] == links(made)["self"]["href"]
    assert (await job.client.get(made.headers["location"])).json()["variable"] == INPUT
    assert made.json()["variable"] == INPUT


async def test_nothing_is_read_or_reported_by_a_name_that_was_not_handed_out(job: Job) -> None:
    location = await job.variable(INPUT, id="mine")
    assert (await job.client.post(f"{location}/results", json=1)).status_code == 201
    results = await job.client.get(f"{location}/results")
    assert (results.status_code, results.json()["_embedded"]["results"]) == (200, [])
    assert (await job.client.get(f"{location}/results/u0")).status_code == 404
    forged = f"{location[:-1]}{'0' if location[-1] != '0' else '1'}"
    for url in (f"{job.url}/variables/mine", forged, f"{job.url}/variables/none"):
        assert (await job.client.get(url)).status_code == 404
        assert (await job.client.post(f"{url}/results", json=1)).status_code == 404
