"""The volunteer against a real pool, with real V8 processes; only the network between them is this process."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import orjson
import pytest

from comp_pool import PoolClient, PoolRefused
from sandbox import VOLUNTEER
from tests.processes import descendants
from tests.volunteer.work import ENDLESS, SQUARE, add_job, variables_of
from volunteer import (
    Claimed,
    Computed,
    Event,
    Identity,
    Judged,
    Lost,
    Options,
    Released,
    Tally,
    Volunteer,
    Waiting,
    Warned,
    forgotten,
)

UNTIL_IDLE = Options(until_idle=True, longest_wait_s=0.2)
DEADLINE_S = 60.0
POOL_URL = "http://pool.example"

Handle = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Network(httpx.AsyncBaseTransport):
    """The way to the pool, on which something may happen to the requests of one kind."""

    def __init__(
        self,
        pool: httpx.AsyncBaseTransport,
        query: str,
        happens: Callable[[httpx.Request, Handle], Awaitable[httpx.Response]],
    ) -> None:
        self._pool = pool
        self._query = query
        self._happens = happens

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._query in orjson.loads(request.content)["query"]:
            return await self._happens(request, self._pool.handle_async_request)
        return await self._pool.handle_async_request(request)


async def compute(
    client: PoolClient, options: Options = UNTIL_IDLE, *, identity: Identity | None = None, tamper: bool = False
) -> list[Event]:
    """What a volunteer told until it ended by itself."""
    events: list[Event] = []
    volunteer = Volunteer(
        client,
        identity or forgotten(),
        options,
        tell=events.append,
        tamper=(lambda value: [value, "tampered with"]) if tamper else None,
    )
    async with asyncio.timeout(DEADLINE_S):
        await volunteer.run(asyncio.Event())
    return events


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


async def test_it_computes_every_variable_and_splits_the_result_from_the_context(client: PoolClient) -> None:
    job = await add_job(client, SQUARE, range(10))
    events = await compute(client)
    for variable in await variables_of(client, job):
        assert variable["canonicalResult"] == {"value": variable["value"] ** 2, "context": {"seen": True}}
    tally = Tally()
    for event in events:
        tally.add(event)
    assert (tally.computed, tally.submitted, tally.verdicts["CANONICAL"]) == (10, 10, 10)
    assert tally.standing is not None
    assert tally.standing.valid == 10


@pytest.mark.parametrize("returned", ["5", "{}", "[1]", "null", "context"])
async def test_a_function_that_returns_no_result_is_reported_as_an_error_that_says_so(
    client: PoolClient, returned: str
) -> None:
    job = await add_job(client, f"(variable, context) => ({returned})", [1])
    await compute(client, Options(max_tasks=1))
    [variable] = await variables_of(client, job)
    [result] = variable["results"]["nodes"]
    assert result["verdict"] == "INVALID"
    assert "must return the context with a field `result`" in result["error"]


async def test_what_a_function_throws_is_reported(client: PoolClient) -> None:
    job = await add_job(client, "() => { throw new TypeError('no such luck'); }", [1])
    await compute(client, Options(max_tasks=1))
    [variable] = await variables_of(client, job)
    assert variable["results"]["nodes"][0]["error"] == "TypeError: no such luck"


async def test_two_honest_volunteers_outvote_one_that_cheats(client: PoolClient) -> None:
    job = await add_job(client, SQUARE, range(6), policy={"quorum": 2})
    await compute(client, tamper=True)
    await compute(client)
    await compute(client)
    for variable in await variables_of(client, job):
        assert variable["canonicalResult"]["value"] == variable["value"] ** 2
        assert sorted(each["verdict"] for each in variable["results"]["nodes"]) == ["CANONICAL", "INVALID", "VALID"]


async def test_a_source_that_is_not_the_one_its_sha256_names_is_never_run(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    async def forge(request: httpx.Request, pool: Handle) -> httpx.Response:
        answer = await pool(request)
        return httpx.Response(200, content=(await answer.aread()).replace(b"variable * variable", b"'forged source'"))

    job = await add_job(client, SQUARE, [3])
    events: list[Event] = []
    warned, stop = asyncio.Event(), asyncio.Event()

    def tell(event: Event) -> None:
        events.append(event)
        if isinstance(event, Waiting):
            warned.set()

    async with PoolClient(POOL_URL, transport=Network(pool_transport, "executeFunction", forge)) as deceived:
        running = asyncio.create_task(Volunteer(deceived, forgotten(), tell=tell).run(stop))
        await asyncio.wait_for(warned.wait(), DEADLINE_S)
        stop.set()
        await running
    assert not of_kind(events, Computed)
    assert "work: the source is not" in next(event.message for event in events if isinstance(event, Warned))
    assert Released(1) in events
    [variable] = await variables_of(client, job)
    assert (variable["state"], variable["results"]["nodes"]) == ("OPEN", [])
    assert of_kind(await compute(client), Computed), "another volunteer gets the task at once"


async def test_results_are_kept_and_posted_once_the_pool_is_back(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    attempts = 0

    async def fail_twice(request: httpx.Request, pool: Handle) -> httpx.Response:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise httpx.ConnectError("nobody listens")
        return httpx.Response(503) if attempts == 2 else await pool(request)

    job = await add_job(client, SQUARE, [3])
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "submitResults", fail_twice)) as unlucky:
        events = await compute(unlucky)
    assert attempts == 3
    assert len(of_kind(events, Computed)) == len(of_kind(events, Judged)) == 1
    [variable] = await variables_of(client, job)
    assert variable["canonicalResult"]["value"] == 9


def first_answer_lost() -> Callable[[httpx.Request, Handle], Awaitable[httpx.Response]]:
    """The pool does what it is asked for, but the first time nobody hears of it."""
    lost = 0

    async def lose_the_first_answer(request: httpx.Request, pool: Handle) -> httpx.Response:
        nonlocal lost
        answer = await pool(request)
        lost += 1
        if lost == 1:
            raise httpx.ReadError("the connection broke")
        return answer

    return lose_the_first_answer


async def test_an_answer_that_was_lost_on_the_way_does_not_double_a_result(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    job = await add_job(client, SQUARE, [3], policy={"quorum": 2})
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "submitResults", first_answer_lost())) as unlucky:
        await compute(unlucky)
    [variable] = await variables_of(client, job)
    assert len(variable["results"]["nodes"]) == 1


async def test_tasks_whose_claim_was_lost_on_the_way_are_handed_out_again(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    identity = forgotten()
    await add_job(client, SQUARE, [0])
    await compute(client, identity=identity)  # A host that the pool knows already.
    job = await add_job(client, SQUARE, range(5), name="Later")
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "claimTasks", first_answer_lost())) as unlucky:
        await compute(unlucky, Options(max_tasks=5, concurrency=5, longest_wait_s=0.2), identity=identity)
    assert [variable["state"] for variable in await variables_of(client, job)] == ["DONE"] * 5


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


CLAIM_ALL = """mutation($input: ClaimTasksInput!) { claimTasks(input: $input) {
  tasks { id } userErrors { field message code } } }"""
RELEASE = """mutation($input: ReleaseTasksInput!) { releaseTasks(input: $input) {
  released userErrors { field message code } } }"""


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
    for module in ("volunteer", "computing"):
        monkeypatch.setattr(f"volunteer.{module}.VOLUNTEER", impatient)
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


async def test_a_result_that_the_pool_cannot_take_is_reported_as_an_error(client: PoolClient) -> None:
    job = await add_job(client, "(v, c) => ({result: 'x'.repeat(1500000)})", [1])
    events = await compute(client, Options(max_tasks=1))
    assert of_kind(events, Warned)
    [variable] = await variables_of(client, job)
    assert "the result can't be taken" in variable["results"]["nodes"][0]["error"]


async def test_a_host_that_the_pool_does_not_know_becomes_a_new_one(client: PoolClient) -> None:
    await add_job(client, SQUARE, [1])
    kept: list[str] = []
    events = await compute(client, identity=Identity("someone.else", kept.append))
    assert of_kind(events, Warned)
    assert len(of_kind(events, Judged)) == 1
    assert kept[-1] not in ("", "someone.else")


async def test_it_ends_after_as_many_tasks_as_it_was_asked_for(client: PoolClient) -> None:
    await add_job(client, SQUARE, range(20))
    events = await compute(client, Options(max_tasks=3, concurrency=2))
    assert len(of_kind(events, Judged)) == 3


async def test_it_computes_only_jobs_and_owners_that_it_was_asked_for(client: PoolClient) -> None:
    await add_job(client, SQUARE, [1], metadata={"owner": "someone"})
    assert not of_kind(await compute(client, Options(until_idle=True, owners=("nobody",))), Computed)
    assert not of_kind(await compute(client, Options(until_idle=True, jobs=("another",))), Computed)
    assert of_kind(await compute(client, Options(until_idle=True, jobs=("work",), owners=("someone",))), Computed)


async def test_a_scheduler_that_the_pool_does_not_have_is_an_error_that_names_those_it_has(client: PoolClient) -> None:
    with pytest.raises(PoolRefused, match="there are: oldest, owners, random, shortest"):
        await compute(client, Options(scheduler="newest"))
