"""What each scope of a token permits, and what it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from resolvers.access import tokens
from resolvers.access.principals import Scope
from resolvers.access.tokens import NewToken
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAY = {
    Scope.READ: {"list tokens", "read"},
    Scope.SUBMIT: {"submit", "make tokens", "read"},
    Scope.COMPUTE: {"link"},
    Scope.OPERATE: {"list tokens", "read", "submit", "make tokens", "link", "list accounts"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        for scope in Scope:
            _, running.tokens[scope] = await tokens.issue(running.runtime, "ada", NewToken("one scope", [scope]))
        yield running


@pytest.mark.parametrize("scope", Scope)
async def test_a_scope_permits_what_it_is_for_and_no_more(pool: AccessPool, scope: Scope) -> None:
    read = await pool.ask(scope, '{ job(key: "work") { viewerCanRead variables { nodes { value } } } }')
    listed = await pool.ask(scope, "{ viewer { account { tokens { nodes { key } } } } }")
    accounts = await pool.ask(scope, "{ accounts { nodes { key } } }")
    made = await pool.mutate(scope, "createJob", "", name=f"by {scope}", executeFunction=DOUBLE)
    given = await pool.mutate(scope, "createToken", "", name="more", scopes=[scope.upper()])
    claimed = await pool.mutate(scope, "claimTasks", "host", first=1)
    key = claimed["host"].partition(".")[0]
    linked = await pool.ask("operator", f'{{ host(key: "{key}") {{ account }} }}')
    did = {
        "read": read["data"]["job"] == {"viewerCanRead": True, "variables": {"nodes": [{"value": 1}]}},
        "list tokens": "errors" not in listed,
        "list accounts": "errors" not in accounts,
        "submit": not made["userErrors"],
        "make tokens": not given["userErrors"],
        "link": linked["data"]["host"]["account"] == "ada",
    }
    assert {act for act in did if did[act]} == MAY[scope]
    assert claimed["userErrors"] == []


async def test_a_host_is_whose_token_it_showed_last_and_nobodys_without_the_account(pool: AccessPool) -> None:
    host = (await pool.mutate("none", "claimTasks", "host", first=1))["host"]
    query = f'{{ host(key: "{host.partition(".")[0]}") {{ account }} }}'

    async def account() -> str | None:
        found: str | None = (await pool.ask("operator", query))["data"]["host"]["account"]
        return found

    assert await account() is None
    for principal, owner in (("machine", "ada"), ("none", "ada"), ("volunteer", "vol"), ("machine", "ada")):
        await pool.mutate(principal, "claimTasks", "host", first=1, host=host)
        assert await account() == owner
    await pool.mutate("volunteer", "claimTasks", "host", first=1, host=host)
    assert (await pool.mutate("operator", "deleteAccount", "", account="vol"))["userErrors"] == []
    assert await account() is None
