"""The audit log, and blocked accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLObjectType

from rest_compat.calls import definition
from schema.machinery.access import Access
from schema.schema import schema
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOG = "{ auditLog(first: 100) { nodes { at account token action subject } pageInfo { hasNextPage endCursor } } }"
NOTED_OF_ANYONE = {"createVariables", "deleteHost"}


@pytest_asyncio.fixture(loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


async def log_of(pool: AccessPool) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await pool.ask("operator", LOG))["data"]["auditLog"]["nodes"]
    return entries


async def said(pool: AccessPool) -> list[tuple[str, str, str]]:
    return [(each["account"], each["action"], each["subject"]) for each in await log_of(pool)]


async def test_what_owners_and_operators_change_is_noted_the_latest_first(pool: AccessPool) -> None:
    await pool.mutate("owner", "createJob", "", name="Mine", executeFunction=DOUBLE)
    await pool.mutate("owner", "createVariables", "", job="mine", variables=[{"value": 1}])
    flow = await pool.mutate("owner", "submitFlow", "flow { key }", jobs=[{"job": "mine"}])
    await pool.mutate("owner", "cancelFlow", "", flow=flow["flow"]["key"])
    await pool.mutate("operator", "archiveJob", "", job="mine")
    await pool.mutate("operator", "createAccount", "", name="Zoe")
    await pool.mutate("operator", "deleteAccount", "", account="zoe")
    made = await pool.mutate("owner", "createToken", "token { key } text", name="x", scopes=["SUBMIT"])
    await pool.mutate("owner", "revokeToken", "", token=made["text"])
    answer = await pool.http.post("/jobs/work/variables", json=1, headers=pool.header("owner"))
    assert answer.status_code == 201
    token = f"token {made['token']['key']}"
    key = f"flow {flow['flow']['key']}"
    assert await said(pool) == [
        ("ada", "createVariables", "job work"),
        ("ada", "revokeToken", token),
        ("ada", "createToken", token),
        ("operator", "deleteAccount", "account zoe"),
        ("operator", "createAccount", "account zoe"),
        ("operator", "archiveJob", "job mine"),
        ("ada", "cancelFlow", key),
        ("ada", "submitFlow", key),
        ("ada", "createVariables", "job mine"),
        ("ada", "createJob", "job mine"),
    ]
    assert made["text"][19:] not in str(await log_of(pool))
    stored = await pool.runtime.store.database.collection("audit").find({}, limit=100)
    assert made["text"][19:] not in str(stored)


async def test_what_was_refused_and_what_volunteers_do_is_not_noted(pool: AccessPool) -> None:
    await pool.mutate("other owner", "archiveJob", "", job="work")
    await pool.mutate("owner", "createJob", "", name="Work", executeFunction=DOUBLE)
    await pool.mutate("owner", "archiveJob", "", job="nothing")
    await pool.mutate("volunteer", "claimTasks", "", first=1)
    await pool.mutate("none", "createVariables", "", job="work", variables=[{"value": 1}])
    await pool.ask("owner", "{ viewer { scopes } }")
    assert await said(pool) == []


async def test_it_is_read_page_by_page(pool: AccessPool) -> None:
    for number in range(5):
        await pool.mutate("operator", "createAccount", "", name=f"Account {number}")
    found: list[str] = []
    after = ""
    while len(found) < 5:
        given = f', after: "{after}"' if after else ""
        page = await pool.ask(
            "operator", f"{{ auditLog(first: 2{given}) {{ nodes {{ subject }} pageInfo {{ endCursor }} }} }}"
        )
        found += [each["subject"] for each in page["data"]["auditLog"]["nodes"]]
        after = page["data"]["auditLog"]["pageInfo"]["endCursor"]
    assert found == [f"account account-{number}" for number in (4, 3, 2, 1, 0)]


async def test_every_mutation_that_takes_a_token_is_noted(pool: AccessPool) -> None:
    """What anyone may do is volunteers' work, except for what this test names."""
    root = schema._schema.mutation_type
    assert isinstance(root, GraphQLObjectType)
    for name, field in root.fields.items():
        strawberry_field = definition(field)
        [rule] = [each.to.name for each in strawberry_field.directives if isinstance(each, Access)]
        [only] = [each for each in strawberry_field.extensions if hasattr(each, "is_audited")]
        assert only.is_audited == (rule != "ANYONE" or name in NOTED_OF_ANYONE), name


async def test_a_blocked_account_is_refused_until_it_is_unblocked(pool: AccessPool) -> None:
    blocked = await pool.mutate("operator", "blockAccount", "account { key blockedAt }", account="ada")
    assert blocked["account"]["blockedAt"]
    for document in ("{ viewer { scopes } }", "{ pool { name } }"):
        [error] = (await pool.ask("owner", document))["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert "is blocked by the pool's operator" in error["message"]
    made = await pool.http.post("/session", json={"token": pool.tokens["owner"]})
    assert made.status_code == 401
    again = await pool.mutate("operator", "blockAccount", "account { key blockedAt }", account="ada")
    assert again == blocked
    assert (await pool.mutate("operator", "unblockAccount", "account { blockedAt }", account="ada"))["account"] == {
        "blockedAt": None
    }
    assert "errors" not in await pool.ask("owner", "{ viewer { scopes } }")


async def test_a_session_ends_while_its_account_is_blocked(pool: AccessPool) -> None:
    opened = await pool.http.post("/session", json={"token": pool.tokens["owner"]})
    cookie = {"cookie": opened.headers["set-cookie"].partition(";")[0]}
    pool.http.cookies.clear()

    async def account() -> str | None:
        body = {"query": "{ viewer { account { key } } }"}
        answer = await pool.http.post("/graphql", json=body, headers=cookie)
        found = answer.json()["data"]["viewer"]["account"]
        return found and str(found["key"])

    assert await account() == "ada"
    await pool.mutate("operator", "blockAccount", "", account="ada")
    assert await account() is None
    await pool.mutate("operator", "unblockAccount", "", account="ada")
    assert await account() == "ada"
    await pool.mutate("operator", "deleteAccount", "", account="ada")
    assert await account() is None


async def test_nobody_blocks_themselves(pool: AccessPool) -> None:
    [error] = (await pool.mutate("operator", "blockAccount", "", account="operator"))["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", "account")
    [error] = (await pool.mutate("operator", "blockAccount", "", account="nobody"))["userErrors"]
    assert error["code"] == "NOT_FOUND"
