"""The volunteer against a real pool, with real V8 processes; only the network between them is this process."""

import asyncio

import httpx
import pytest

from comp_pool import PoolClient, PoolRefused
from tests.volunteer.running import DEADLINE_S, POOL_URL, Handle, Network, compute, of_kind
from tests.volunteer.work import SQUARE, add_job, variables_of
from volunteer import (
    Computed,
    Event,
    Identity,
    Judged,
    Options,
    Released,
    Tally,
    Volunteer,
    Waiting,
    Warned,
    forgotten,
)


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


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("() => { throw new TypeError('no such luck'); }", "TypeError: no such luck"),
        ("() => { throw ''; }", "Error: (no message)"),
        ("() => Promise.reject('')", "Error: (no message)"),
        ("() => { throw undefined; }", "threw undefined"),
    ],
)
async def test_what_a_function_throws_is_reported(client: PoolClient, source: str, error: str) -> None:
    job = await add_job(client, source, [1])
    await compute(client, Options(max_tasks=1))
    [variable] = await variables_of(client, job)
    assert variable["results"]["nodes"] == [{"verdict": "INVALID", "error": error}]
    assert variable["canonicalResult"] is None


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
