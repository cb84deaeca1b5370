"""What a volunteer holds, against a real pool: extended, lost, given back."""

import asyncio
import os
from dataclasses import replace

import httpx
import pytest

from comp_pool import PoolClient
from sandbox import VOLUNTEER
from tests.processes import descendants
from tests.volunteer.running import DEADLINE_S, POOL_URL, Handle, Network, compute, of_kind
from tests.volunteer.work import ENDLESS, SQUARE, add_job, variables_of
from volunteer import Claimed, Computed, Event, Judged, Lost, Options, Released, Volunteer, Warned, forgotten

CLAIM_ALL = """mutation($input: ClaimTasksInput!) { claimTasks(input: $input) {
  tasks { id } userErrors { field message code } } }"""
RELEASE = """mutation($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { field message code } } }"""


async def test_stopping_gives_back_what_is_not_computed(client: PoolClient) -> None:
    await add_job(client, ENDLESS, range(5))
    claimed, stop, events = asyncio.Event(), asyncio.Event(), list[Event]()

    def tell(event: Event) -> None:
        events.append(event)
        if isinstance(event, Claimed):
            claimed.set()

    running = asyncio.create_task(Volunteer(client, forgotten(), tell=tell).run(stop))
    await asyncio.wait_for(claimed.wait(), DEADLINE_S)
    stop.set()
    await asyncio.wait_for(running, DEADLINE_S)
    claims = sum(event.tasks for event in events if isinstance(event, Claimed))
    assert claims == sum(event.tasks for event in events if isinstance(event, Released)) > 0
    data = await client.mutate(CLAIM_ALL, first=100)
    assert len(data["tasks"]) == 5, "another host gets all of them at once"


async def test_stopping_gives_back_what_is_claimed_at_that_very_moment(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    await add_job(client, ENDLESS, range(5))
    stop = asyncio.Event()

    async def stop_before_the_answer(request: httpx.Request, pool: Handle) -> httpx.Response:
        answer = await pool(request)
        stop.set()
        for _ in range(100):  # The volunteer has heard of it by then.
            await asyncio.sleep(0)
        return answer

    async with PoolClient(POOL_URL, transport=Network(pool_transport, "claimTasks", stop_before_the_answer)) as slow:
        await asyncio.wait_for(Volunteer(slow, forgotten(), Options(concurrency=3)).run(stop), DEADLINE_S)
    assert len((await client.mutate(CLAIM_ALL, first=100))["tasks"]) == 5, "another host gets all of them at once"


async def test_a_computation_ends_when_its_lease_is_lost(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    async def release_behind_its_back(request: httpx.Request, pool: Handle) -> httpx.Response:
        answer = await pool(request)
        await answer.aread()
        for task in answer.json()["data"]["claimTasks"]["tasks"]:
            held = {"task": task["id"], "lease": task["lease"]["token"]}
            await client.mutate(RELEASE, tasks=[held])
            await client.mutate(CLAIM_ALL)
        return answer

    await add_job(client, ENDLESS, [1], policy={"delayBoundSeconds": 1})
    async with PoolClient(
        POOL_URL, transport=Network(pool_transport, "claimTasks", release_behind_its_back)
    ) as unlucky:
        events = await compute(unlucky, Options(max_tasks=1))
    assert len(of_kind(events, Lost)) == 1
    assert not of_kind(events, Computed)


async def test_what_a_busy_machine_leaves_no_time_for_goes_back_to_the_pool(
    client: PoolClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(VOLUNTEER, timeout_ms=50, patience=2, least_patience_ms=0)
    job = await add_job(client, SQUARE, [3], policy={"delayBoundSeconds": 1})
    pools_own = set(descendants(os.getpid()))
    stop, events = asyncio.Event(), list[Event]()

    def tell(event: Event) -> None:
        events.append(event)
        match event:
            case Claimed():
                for process in set(descendants(os.getpid())) - pools_own:
                    process.suspend()
            case Released():
                stop.set()

    with monkeypatch.context() as patch:
        for module in ("volunteer", "computing"):
            patch.setattr(f"volunteer.{module}.VOLUNTEER", impatient)
        running = Volunteer(client, forgotten(), Options(max_tasks=1), tell=tell).run(stop)
        await asyncio.wait_for(running, DEADLINE_S)
    assert [event.message for event in events if isinstance(event, Warned)] == [
        f"{job}: this machine was too busy to run it; its task goes back to the pool"
    ]
    assert not of_kind(events, Computed)
    await compute(client)
    [variable] = await variables_of(client, job)
    assert [each["error"] for each in variable["results"]["nodes"]] == [None]
    assert variable["canonicalResult"]["value"] == 9


async def test_heartbeats_let_a_computation_outlast_its_lease(client: PoolClient) -> None:
    slow = "(v, c) => { const end = Date.now() + 2500; while (Date.now() < end); c.result = v; return c; }"
    job = await add_job(client, slow, [7], policy={"delayBoundSeconds": 1})
    events = await compute(client, Options(max_tasks=1))
    assert [event.verdict for event in events if isinstance(event, Judged)] == ["CANONICAL"]
    [variable] = await variables_of(client, job)
    assert len(variable["results"]["nodes"]) == 1


async def test_a_task_that_takes_too_long_is_reported_as_an_error(
    client: PoolClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(VOLUNTEER, timeout_ms=50)
    for module in ("volunteer", "computing"):
        monkeypatch.setattr(f"volunteer.{module}.VOLUNTEER", impatient)
    job = await add_job(client, ENDLESS, [1], policy={"delayBoundSeconds": 1})
    await compute(client, Options(max_tasks=1))
    [variable] = await variables_of(client, job)
    assert [each["error"] for each in variable["results"]["nodes"]] == ["it took longer than 1000 ms"]
