"""A volunteer whose network loses calls, against a real pool."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from comp_pool import NotAPool, PoolClient, PoolError, PoolRefused
from tests.answering_pool import STRAY_ROWS
from tests.volunteer.running import POOL_URL, Handle, Network, compute, of_kind
from tests.volunteer.work import SQUARE, add_job, variables_of
from volunteer import Computed, Judged, Lost, Options, Warned, forgotten

TAKES_A_WHILE = "(v, c) => { const end = Date.now() + 30; while (Date.now() < end); c.result = v; return c; }"
HELD_OVER_A_HEARTBEAT = "(v, c) => { const end = Date.now() + 600; while (Date.now() < end); c.result = v; return c; }"


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


async def test_a_claim_is_repeated_as_it_was_although_fewer_tasks_are_held_by_then(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)

    async def lose_each_first_answer(request: httpx.Request, pool: Handle) -> httpx.Response:
        claim = orjson.loads(request.content)["variables"]["input"]
        claims = asked[claim["idempotencyKey"]]
        claims.append({name: claim[name] for name in ("first", "repeated")})
        answer = await pool(request)
        if len(asked) > 1 and len(claims) == 1:
            raise httpx.ReadError("the connection broke")
        return answer

    job = await add_job(client, TAKES_A_WHILE, range(40))
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "claimTasks", lose_each_first_answer)) as unlucky:
        await compute(unlucky, Options(max_tasks=40, concurrency=2, longest_wait_s=0.2))
    assert {variable["state"] for variable in await variables_of(client, job)} == {"DONE"}
    for first, *again in asked.values():
        assert again == [{**first, "repeated": True}] * len(again)


CALLS = ("claimTasks", "executeFunction", "extendLease", "submitResults", "host(key")
BRISK = Options(max_tasks=2, longest_wait_s=0.05)


@pytest.mark.parametrize("row", STRAY_ROWS, ids=[row["name"] for row in STRAY_ROWS])
async def test_a_stray_answer_to_any_call_loses_nothing_and_ends_no_volunteer(
    client: PoolClient, pool_transport: httpx.ASGITransport, row: dict[str, Any]
) -> None:
    """Once the pool has answered, each kind of call is answered by something else once."""
    left = set(CALLS)

    async def answer(request: httpx.Request, pool: Handle) -> httpx.Response:
        query = orjson.loads(request.content)["query"]
        call = next((name for name in CALLS if name in query), "")
        if call == "claimTasks" and not claimed:
            claimed.append(request)
        elif call in left:
            left.remove(call)
            given = row["answer"]
            headers = {name: value for name, value in given.get("headers", {}).items() if name != "retry-after"}
            return httpx.Response(given["status"], headers=headers, text=given.get("body", ""))
        return await pool(request)

    claimed: list[httpx.Request] = []
    job = await add_job(client, HELD_OVER_A_HEARTBEAT, [1, 2], policy={"delayBoundSeconds": 1})
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "", answer)) as unlucky:
        events = await compute(unlucky, BRISK)
    assert left <= {"host(key"}, "a volunteer asks for its standing now and then"
    assert not of_kind(events, Lost)
    assert [each["canonicalResult"]["value"] for each in await variables_of(client, job)] == [1, 2]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"status_code": 404}, NotAPool),
        ({"status_code": 200, "text": "<!doctype html>"}, NotAPool),
        ({"status_code": 302, "headers": {"location": "https://elsewhere.example/"}}, NotAPool),
        ({"status_code": 400, "json": {"errors": [{"message": "Cannot query field 'tasks'"}]}}, PoolRefused),
    ],
)
async def test_an_address_at_which_there_never_was_a_pool_ends_it(
    answer: dict[str, Any], complaint: type[PoolError]
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(**answer))
    async with PoolClient(POOL_URL, transport=transport) as nowhere:
        with pytest.raises(complaint):
            await compute(nowhere, BRISK)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "BAD_INPUT", "OF_A_NEWER_POOL"])
async def test_a_claim_that_the_pool_will_always_refuse_ends_it(code: str) -> None:
    refused = {"tasks": [], "userErrors": [{"field": "host", "message": "no work for you", "code": code}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {"claimTasks": refused}}))
    async with PoolClient(POOL_URL, transport=transport) as pool:
        with pytest.raises(PoolRefused, match="no work for you"):
            await compute(pool, BRISK)


async def test_what_an_operator_may_have_to_put_right_is_told_once(
    client: PoolClient, pool_transport: httpx.ASGITransport
) -> None:
    left = 5

    async def forbid(request: httpx.Request, pool: Handle) -> httpx.Response:
        nonlocal left
        left -= 1
        return httpx.Response(403) if left >= 0 else await pool(request)

    await add_job(client, SQUARE, [1])
    async with PoolClient(POOL_URL, transport=Network(pool_transport, "submitResults", forbid)) as forbidden:
        events = await compute(forbidden, Options(max_tasks=1, longest_wait_s=0.01))
    [warned] = of_kind(events, Warned)
    assert isinstance(warned, Warned)
    assert "status 403" in warned.message
    assert "nothing is lost" in warned.message
