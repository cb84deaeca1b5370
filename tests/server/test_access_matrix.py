"""Who may do what: every field of the schema's roots and every route, by every kind of principal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLField, GraphQLObjectType

from rest_compat.calls import definition
from rest_compat.compiler import compile_operations
from rest_compat.operations import Operation, ReadOperation
from schema.machinery.access import Access
from schema.schema import schema
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool
from tests.server.connection import Connection

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}
BAD = dict.fromkeys(("revoked", "expired", "unknown", "malformed"), "UNAUTHENTICATED")
ANONYMOUS = {**BAD, "none": "UNAUTHENTICATED"}
COMPUTING = {**ANONYMOUS, **dict.fromkeys(("volunteer", "machine"), "FORBIDDEN")}
READING = {**COMPUTING, "reader": "FORBIDDEN"}
RULES = {
    "ANYONE": BAD,
    "READER": COMPUTING,
    "SUBMITTER": READING,
    "JOB_OWNER": {**READING, "other owner": "FORBIDDEN"},
    "FLOW_OWNER": {**READING, "other owner": "FORBIDDEN"},
    "ACCOUNT_HOLDER": {**READING, "other owner": "FORBIDDEN"},
    "OPERATOR": {**READING, "other owner": "FORBIDDEN", "owner": "FORBIDDEN"},
}
"""Who is refused, and how, by the rule."""

READS = {
    "job": '(key: "work") { key }',
    "jobs": "{ nodes { key } }",
    "scheduledJob": "{ key }",
    "flow": '(key: "FLOW") { key }',
    "flows": "{ nodes { key } }",
    "pool": "{ name }",
    "node": '(id: "Sm9iOndvcms=") { id }',
    "variable": '(job: "work", id: "v") { key }',
    "host": '(key: "nobody") { key }',
    "hosts": "{ nodes { key } }",
    "viewer": "{ scopes }",
    "account": '(key: "ada") { key }',
    "accounts": "{ nodes { key } }",
    "jobsToApprove": "{ nodes { key } }",
    "blocks": "{ nodes { reason } }",
    "auditLog": "{ nodes { action } }",
    "flowProgress": '(id: "FLOW") { cursor }',
    "poolActivity": "{ cursor }",
}
WRITES: dict[str, Any] = {
    "createJob": {"name": "New", "executeFunction": DOUBLE},
    "updateJob": {"job": "work", "policy": {"quorum": 1}},
    "archiveJob": {"job": "work"},
    "createVariables": {"job": "work", "variables": [{"value": 1}]},
    "claimTasks": {"first": 1},
    "extendLease": {"tasks": [{"task": "none", "lease": "none"}]},
    "releaseTasks": {"tasks": [{"task": "none", "lease": "none"}]},
    "submitResults": {"host": "HOST", "results": [{"task": "none", "lease": "none", "value": 1}]},
    "createResult": {"job": "work", "variable": "v", "value": 2},
    "submitFlow": {"jobs": [{"job": "public"}]},
    "cancelFlow": {"flow": "FLOW"},
    "pauseFlow": {"flow": "FLOW"},
    "resumeFlow": {"flow": "FLOW"},
    "retryFlow": {"flow": "FLOW"},
    "createAccount": {"name": "New"},
    "createToken": {"name": "new", "scopes": ["SUBMIT"]},
    "revokeToken": {"token": "SPARE"},
    "blockAccount": {"account": "nobody"},
    "unblockAccount": {"account": "nobody"},
    "approveJob": {"job": "public"},
    "rejectJob": {"job": "nothing", "reason": "No."},
    "approveAccount": {"account": "nobody"},
    "blockHost": {"host": "nobody", "reason": "No."},
    "unblockHost": {"host": "nobody"},
    "blockAddressGroup": {"addressGroup": "192.0.2.7", "reason": "No."},
    "unblockAddressGroup": {"addressGroup": "192.0.2.7"},
    "deleteJob": {"job": "work"},
    "deleteVariables": {"job": "work", "variables": ["v"]},
    "deleteFlow": {"flow": "FLOW"},
    "deleteHost": {"host": "PSEUDONYM", "token": "HOST"},
    "deleteAccount": {"account": "ada"},
}
BODIES: dict[str, Any] = {
    "/jobs": {"name": "New", "execute_function": DOUBLE},
    "/flows": {"jobs": [{"job": "public"}]},
    "/hosts/{host}": {"token": "HOST"},
}


def fields_of(root: GraphQLObjectType | None) -> dict[str, GraphQLField]:
    assert root is not None
    return dict(root.fields)


GRAPHQL = schema._schema
QUERIES, MUTATIONS, SUBSCRIPTIONS = map(
    fields_of, (GRAPHQL.query_type, GRAPHQL.mutation_type, GRAPHQL.subscription_type)
)
OPERATIONS = {f"{each.method} {each.address.template}": each for each in compile_operations(GRAPHQL)}


def rule_of(field: GraphQLField) -> str:
    [said] = [each.to.name for each in definition(field).directives if isinstance(each, Access)]
    return said


def rule_of_route(operation: Operation) -> str:
    """That of the field of a root by which the route reaches its own."""
    chain = operation.chain if isinstance(operation, ReadOperation) else ()
    return rule_of(chain[0].call.field if chain else operation.call.field)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


@asynccontextmanager
async def pool_for(name: str, pool: AccessPool) -> AsyncIterator[AccessPool]:
    """A pool of its own for what deletes something of it."""
    if not name.startswith("delete"):
        yield pool
        return
    async with access_pool() as another:
        yield another


def filled(text: str, pool: AccessPool) -> str:
    text = text.replace("PSEUDONYM", pool.host.partition(".")[0])
    return text.replace("FLOW", pool.flow).replace("SPARE", pool.spare).replace("HOST", pool.host)


def check(found: dict[str, str], rule: str) -> None:
    """`found` is the code that each principal was refused with, or empty."""
    assert found == {name: RULES[rule].get(name, "") for name in found}


def refusal(codes: list[str]) -> str:
    return next((code for code in codes if code in REFUSED), "")


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_is_answered_to_whom_its_rule_allows(pool: AccessPool, name: str) -> None:
    found = {}
    for principal in pool.tokens:
        answer = await pool.ask(principal, filled(f"{{ {name} {READS[name]} }}", pool))
        found[principal] = refusal([each["extensions"]["code"] for each in answer.get("errors", ())])
        assert not (found[principal] and (answer["data"] or {}).get(name))
    check(found, rule_of(QUERIES[name]))


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation_is_carried_out_for_whom_its_rule_allows(pool: AccessPool, name: str) -> None:
    found = {}
    async with pool_for(name, pool) as used:
        given = json.loads(filled(json.dumps(WRITES[name]), used))
        for principal in used.tokens:
            payload = await used.mutate(principal, name, "__typename", **given)
            found[principal] = refusal([each["code"] for each in payload["userErrors"]])
    check(found, rule_of(MUTATIONS[name]))


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
@pytest.mark.parametrize("transport", ["websocket", "events"])
async def test_a_subscription_is_open_to_whom_its_rule_allows(pool: AccessPool, name: str, transport: str) -> None:
    query = filled(f"subscription {{ {name} {READS[name]} }}", pool)
    found = {}
    for principal in pool.tokens:
        connection = subscribed(transport, query, pool.header(principal))
        connection.read_on()
        async with connection.to(pool.app):
            await connection.hears('"payload":' if transport == "websocket" else "event:next")
        found[principal] = refusal([code for code in REFUSED if f'"code":"{code}"' in connection.text()])
    check(found, rule_of(SUBSCRIPTIONS[name]))


def subscribed(transport: str, query: str, header: dict[str, str]) -> Connection:
    if transport == "events":
        headers = {"content-type": "application/json", "accept": "text/event-stream", "host": "pool.example", **header}
        encoded = [(key.encode(), value.encode()) for key, value in headers.items()]
        return Connection(
            {"type": "http", "method": "POST", "headers": encoded, "scheme": "http", "http_version": "1.1"},
            {"type": "http.request", "body": json.dumps({"query": query}).encode()},
        )
    return Connection(
        {"type": "websocket", "headers": [], "subprotocols": ["graphql-transport-ws"], "scheme": "ws"},
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps({"type": "connection_init", "payload": header})},
        {
            "type": "websocket.receive",
            "text": json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}),
        },
    )


@pytest.mark.parametrize("route", OPERATIONS)
async def test_a_route_is_answered_to_whom_the_rule_of_its_field_allows(pool: AccessPool, route: str) -> None:
    operation = OPERATIONS[route]
    async with pool_for(operation.method.lower(), pool) as used:
        check(await answers_of(used, operation), rule_of_route(operation))


async def answers_of(pool: AccessPool, operation: Operation) -> dict[str, str]:
    """The code that a route refuses each principal with, or empty."""
    template = operation.address.template
    path = template.format(
        **{name: "work" if "job" in name or name == "key" else "v" for name in operation.address.variables}
    )
    if template.startswith("/flows/"):
        path = f"/flows/{pool.flow}"
    if template.startswith("/hosts/"):
        path = filled("/hosts/PSEUDONYM", pool)
    found = {}
    for principal in pool.tokens:
        body = BODIES.get(template, 1 if operation.method == "POST" else None)
        body = None if operation.method == "GET" else json.loads(filled(json.dumps(body), pool))
        answer = await pool.http.request(operation.method, path, json=body, headers=pool.header(principal))
        found[principal] = refusal([str(answer.json().get("code"))] if answer.content else [])
        assert answer.status_code == {"UNAUTHENTICATED": 401, "FORBIDDEN": 403}.get(
            found[principal], answer.status_code
        )
        assert (answer.headers.get("www-authenticate") == "Bearer") == (answer.status_code == 401)
        assert answer.status_code < 500
    return found


async def test_only_the_readers_of_an_account_see_its_tokens(pool: AccessPool) -> None:
    query = "{ viewer { account { tokens { nodes { account } } } } }"
    codes = {}
    for principal in ("volunteer", "other owner", "owner", "operator"):
        answer = await pool.ask(principal, query)
        codes[principal] = refusal([each["extensions"]["code"] for each in answer.get("errors", ())])
        if not codes[principal]:
            account = {"other owner": "bob", "owner": "ada"}.get(principal, "operator")
            assert {each["account"] for each in answer["data"]["viewer"]["account"]["tokens"]["nodes"]} == {account}
    check(codes, "READER")
