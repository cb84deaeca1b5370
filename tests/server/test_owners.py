"""Owners come from tokens, and what is theirs is theirs alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool
from tests.server.connection import Connection

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAKE = 'mutation { createJob(input: {name: "%s", executeFunction: "x => x"}) { userErrors { code } } }'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


@pytest.mark.parametrize("metadata", [None, {"owner": ""}, {"owner": "ada", "description": {"en": "Mine"}}])
async def test_a_job_and_a_flow_are_their_submitters(pool: AccessPool, metadata: dict[str, object] | None) -> None:
    given = {"name": f"of ada {json.dumps(metadata)}", "executeFunction": DOUBLE, "metadata": metadata}
    made = await pool.mutate("owner", "createJob", "job { key owner metadata }", **given)
    assert made["job"]["owner"] == "ada"
    assert made["job"]["metadata"] == (metadata or {})
    flow = await pool.mutate("owner", "submitFlow", "flow { owner }", jobs=[{"job": made["job"]["key"]}])
    assert flow["flow"]["owner"] == "ada"


async def test_nobody_submits_or_renames_in_anothers_name_but_the_operator(pool: AccessPool) -> None:
    job = {"name": "Of bob", "executeFunction": DOUBLE, "metadata": {"owner": "bob"}}
    flow = {"owner": "bob", "jobs": [{"job": "work"}]}
    change = {"job": "work", "metadata": {"owner": "bob"}}
    for name, given, field in (
        ("createJob", job, "metadata.owner"),
        ("submitFlow", flow, "owner"),
        ("updateJob", change, "metadata.owner"),
    ):
        [error] = (await pool.mutate("owner", name, "", **given))["userErrors"]
        assert (error["code"], error["field"]) == ("FORBIDDEN", field)
    made = await pool.mutate("operator", "createJob", "job { owner }", **job)
    assert made == {"job": {"owner": "bob"}, "userErrors": []}
    [refused] = (await pool.mutate("owner", "archiveJob", "", job="of-bob"))["userErrors"]
    assert refused["code"] == "FORBIDDEN"
    assert (await pool.mutate("other owner", "archiveJob", "", job="of-bob"))["userErrors"] == []


async def test_an_update_that_names_no_owner_leaves_it(pool: AccessPool) -> None:
    for principal in ("owner", "operator"):
        kept = await pool.mutate(principal, "updateJob", "job { owner }", job="work", metadata={"anything": 1})
        assert kept == {"job": {"owner": "ada"}, "userErrors": []}


async def test_a_job_takes_variables_of_its_owner_only_where_its_policy_says_so(pool: AccessPool) -> None:
    given = {"name": "Closed", "executeFunction": DOUBLE, "policy": {"acceptsVariablesFrom": "OWNER"}}
    await pool.mutate("owner", "createJob", "", **given)
    found = {}
    for principal in pool.tokens:
        payload = await pool.mutate(principal, "createVariables", "", job="closed", variables=[{"value": 1}])
        rest = await pool.http.post("/jobs/closed/variables", json=1, headers=pool.header(principal))
        found[principal] = [each["code"] for each in payload["userErrors"]]
        assert rest.status_code == {"": 201, "UNAUTHENTICATED": 401, "FORBIDDEN": 403}["".join(found[principal])]
    assert {name for name, codes in found.items() if not codes} == {"owner", "operator"}
    assert {name for name, codes in found.items() if codes == ["FORBIDDEN"]} == {
        "volunteer",
        "machine",
        "reader",
        "other owner",
    }


async def test_one_idempotency_key_of_two_accounts_is_two_requests(pool: AccessPool) -> None:
    shared = {"name": "Shared", "executeFunction": DOUBLE, "policy": {"visibility": "PUBLIC"}}
    await pool.mutate("owner", "createJob", "", **shared)
    flow = {"jobs": [{"job": "shared"}], "idempotencyKey": "once"}
    keys = [
        (await pool.mutate(who, "submitFlow", "flow { key owner }", **flow))["flow"]
        for who in ("owner", "owner", "other owner")
    ]
    assert keys[0] == keys[1]
    assert keys[2]["key"] != keys[0]["key"]
    job = {"name": "Once", "executeFunction": DOUBLE, "idempotencyKey": "once"}
    first, again, others = [
        await pool.mutate(who, "createJob", "job { key }", **job) for who in ("owner", "owner", "other owner")
    ]
    assert first == again
    assert [each["code"] for each in others["userErrors"]] == ["ALREADY_EXISTS"]


async def test_a_token_gives_nothing_that_it_has_not(pool: AccessPool) -> None:
    for given in ({"scopes": ["OPERATE"]}, {"scopes": ["COMPUTE"]}, {"scopes": ["SUBMIT"], "account": "bob"}):
        [error] = (await pool.mutate("owner", "createToken", "text", name="more", **given))["userErrors"]
        assert error["code"] == "FORBIDDEN"
    soon, later = "2999-01-01T00:00:00Z", "2999-01-02T00:00:00Z"
    short = await pool.mutate("owner", "createToken", "text", name="short", scopes=["SUBMIT"], expiresAt=soon)
    pool.tokens["short"] = short["text"]
    try:
        for expiry in ({}, {"expiresAt": later}):
            payload = await pool.mutate("short", "createToken", "text", name="longer", scopes=["SUBMIT"], **expiry)
            assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [("FORBIDDEN", "expiresAt")]
        same = await pool.mutate("short", "createToken", "text", name="same", scopes=["SUBMIT"], expiresAt=soon)
        assert same["userErrors"] == []
    finally:
        del pool.tokens["short"]


async def test_nobody_revokes_anothers_token_but_the_operator(pool: AccessPool) -> None:
    made = await pool.mutate("owner", "createToken", "token { key } text", name="to go", scopes=["SUBMIT"])
    pool.tokens["to go"] = made["text"]
    [error] = (await pool.mutate("other owner", "revokeToken", "", token=made["token"]["key"]))["userErrors"]
    assert error["code"] == "NOT_FOUND"
    assert "errors" not in await pool.ask("to go", "{ viewer { scopes } }")
    await pool.mutate("operator", "revokeToken", "", token=made["text"])
    [refused] = (await pool.ask("to go", "{ viewer { scopes } }"))["errors"]
    assert refused["extensions"]["code"] == "UNAUTHENTICATED"
    del pool.tokens["to go"]


async def test_a_connection_that_outlives_its_token_may_do_nothing_more(pool: AccessPool) -> None:
    made = await pool.mutate("owner", "createToken", "token { key } text", name="socket", scopes=["SUBMIT"])
    header = {"Authorization": f"Bearer {made['text']}"}
    said = [
        {"type": "connection_init", "payload": header},
        {"id": "1", "type": "subscribe", "payload": {"query": MAKE % "Before"}},
    ]
    connection = Connection(
        {"type": "websocket", "headers": [], "subprotocols": ["graphql-transport-ws"], "scheme": "ws"},
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": json.dumps(each)} for each in said),
    )
    connection.read_on()
    async with connection.to(pool.app):
        await connection.hears('"id":"1","type":"complete"')
        assert "UNAUTHENTICATED" not in connection.text()
        await pool.mutate("owner", "revokeToken", "", token=made["token"]["key"])
        again = {"id": "2", "type": "subscribe", "payload": {"query": MAKE % "After"}}
        connection.say({"type": "websocket.receive", "text": json.dumps(again)})
        await connection.hears("UNAUTHENTICATED")


async def test_another_scheme_of_authorization_is_a_proxys_and_no_token(pool: AccessPool) -> None:
    read = await pool.http.get("/jobs/work", headers={"authorization": "Basic YWRhOmFkYQ=="})
    assert read.status_code == 200
    job = {"name": "x", "execute_function": DOUBLE}
    written = await pool.http.post("/jobs", json=job, headers={"authorization": "Basic YWRhOmFkYQ=="})
    assert written.status_code == 401
