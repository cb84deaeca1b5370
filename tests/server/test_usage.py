"""What an account has in the pool and uses of it, beside its quotas; and what of the sandbox is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from resolvers.sandbox_minutes import SandboxMinutes
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

USAGE = """usage { storedBytes { used limit } openVariables { used limit } openFlows { used limit }
  sandboxSeconds { used limit } }"""
ADD = {"job": "guarded", "variables": [{"value": 1}]}


@pytest_asyncio.fixture(loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


async def usage(pool: AccessPool, principal: str, query: str) -> Any:
    return await pool.ask(principal, f"{{ {query} }}")


async def test_who_may_read_sees_the_own_account_and_an_operator_all(pool: AccessPool) -> None:
    pool.runtime.limits = replace(pool.runtime.limits, account_flows=0)
    own = (await usage(pool, "owner", f"viewer {{ {USAGE} account {{ {USAGE} }} }}"))["data"]["viewer"]
    assert own["usage"]["openFlows"] == {"used": 1, "limit": None}
    assert own["usage"]["openVariables"] == {"used": 2, "limit": 1_000_000}
    assert own["usage"]["storedBytes"]["used"] > 2 * len(DOUBLE)
    assert own["usage"]["sandboxSeconds"]["limit"] == 60
    assert own["account"]["usage"] == own["usage"]
    named = (await usage(pool, "operator", f'account(key: "ada") {{ {USAGE} }}'))["data"]["account"]
    assert named["usage"] == own["usage"]
    other = (await usage(pool, "other owner", f"viewer {{ {USAGE} }}"))["data"]["viewer"]["usage"]
    assert other["openVariables"]["used"] == 0


@pytest.mark.parametrize(("principal", "code"), [("none", "UNAUTHENTICATED"), ("machine", "FORBIDDEN")])
async def test_nobody_else_does(pool: AccessPool, principal: str, code: str) -> None:
    answer = await usage(pool, principal, f"viewer {{ {USAGE} }}")
    assert answer["data"]["viewer"]["usage"] is None
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_what_is_refused_for_the_sandbox_says_when_to_come_again(pool: AccessPool) -> None:
    made = await pool.mutate(
        "owner", "createJob", "job { key }", name="Guarded", executeFunction=DOUBLE, validateResult="() => true"
    )
    assert made["userErrors"] == []
    pool.runtime.part(SandboxMinutes).of("ada").take(60)
    document = """mutation ($input: CreateVariablesInput!) { createVariables(input: $input) {
      userErrors { code retryAfterSeconds } } }"""
    [refused] = (await pool.ask("owner", document, input=ADD))["data"]["createVariables"]["userErrors"]
    assert refused["code"] == "QUOTA"
    assert 1 <= refused["retryAfterSeconds"] <= 61
    answer = await pool.http.post("/jobs/guarded/variables", json={"value": 1}, headers=pool.header("owner"))
    assert (answer.status_code, answer.json()["code"]) == (403, "QUOTA")
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    job = {"name": "Bob's", "execute_function": DOUBLE}
    assert (await pool.http.post("/jobs", json=job, headers=pool.header("other owner"))).status_code == 201
    seen = (await usage(pool, "owner", f"viewer {{ {USAGE} }}"))["data"]["viewer"]["usage"]["sandboxSeconds"]
    assert seen["used"] >= 60
