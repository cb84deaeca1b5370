"""What belongs to a PRIVATE job or flow is read by its account and by operators, whichever way it is asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLObjectType
from strawberry.relay.utils import from_base64, to_base64

from resolvers.access.principals import ANONYMOUS
from resolvers.owners import tickets, variables
from rest_compat.calls import definition
from schema.machinery.visibility import IsPrivate
from schema.schema import schema
from tests.server.access_pool import AccessPool, access_pool
from tests.server.connection import Connection
from tests.server.test_access_matrix import subscribed

pytestmark = pytest.mark.asyncio(loop_scope="module")

READERS = {"owner", "reader", "operator"}
REFUSED = {"revoked", "expired", "unknown", "malformed"}
FUNCTION = "(variable, context) => ({...context, result: variable})"
JOB = {
    "name": "Secret job",
    "executeFunction": FUNCTION,
    "validateResult": "() => true /* SECRET */",
    "variableScheduler": "() => { throw new Error('SECRET') }",
    "compareResults": "(a, b) => a === b /* SECRET */",
    "policy": {"maxErrors": 1, "quorum": 1},
}
VARIABLES = [{"id": name, "value": {"is": "SECRET"}} for name in ("open", "done", "failed")]

FIELDS = {
    "Job.validateResult": '{ job(key: "secret-job") { validateResult } }',
    "Job.variableScheduler": '{ job(key: "secret-job") { variableScheduler } }',
    "Job.compareResults": '{ job(key: "secret-job") { compareResults } }',
    "Job.reviewReason": '{ job(key: "secret-job") { reviewReason } }',
    "Job.schedulerProblem": '{ job(key: "secret-job") { schedulerProblem } }',
    "Job.variables": '{ job(key: "secret-job") { variables { nodes { value } } } }',
    "Job.results": '{ job(key: "secret-job") { results { nodes { value } } } }',
    "Variable.canonicalResult": '{ variable(job: "secret-job", id: "DONE") { canonicalResult { value } } }',
    "Variable.results": '{ variable(job: "secret-job", id: "DONE") { results { nodes { value } } } }',
    "Variable.tasks": '{ variable(job: "secret-job", id: "DONE") { tasks { state } } }',
    "Host.account": '{ host(key: "HOST") { account } }',
    "Host.addressGroup": '{ host(key: "HOST") { addressGroup } }',
    "Host.block": '{ host(key: "HOST") { block { reason } } }',
    "Variable.reason": '{ variable(job: "secret-job", id: "FAILED") { reason } }',
}
"""A query for each field that is marked as private: those of a variable for who has its ticket, too."""
SHOWN = {
    "Host.account": '"account":"ada"',
    "Host.addressGroup": '"addressGroup":"127',
    "Variable.tasks": '"state":',
    "Variable.reason": '"reason":"',
}
"""What an answer shows where it has more than null or an empty list; else SECRET."""
SEEN_BY_ALL = {
    "Job": "id key name owner state review executeFunction executeBody sha256 metadata createdAt updatedAt "
    "viewerCanRead policy description runMilliseconds variableCounts variable openVariables scheduledVariable",
    "Variable": "id key forJobs value state createdAt finishedAt job result workerScript",
    "Host": "id key name valid invalid failed elapsedMilliseconds createdAt seenAt trusted",
}
"""The fields of what a stranger gets to see of private jobs that show nothing private, or ask the rule themselves."""
NAMED = {
    "variable": '{ found: variable(job: "secret-job", id: "done") { key } }',
    "Job.variable": '{ job(key: "secret-job") { found: variable(id: "done") { key } } }',
    "Variable.result": '{ variable(job: "secret-job", id: "DONE") { found: result(id: "u0") { value } } }',
    "flow": '{ found: flow(key: "FLOW") { name } }',
    "flows": "{ flows { nodes { found: name } } }",
    "Variable": "Variable secret-job/done",
    "Result": "Result var:secret-job:done:u0",
    "Task": "Task var:secret-job:open:0",
    "Flow": "Flow FLOW",
    "FlowLevel": "FlowLevel FLOW/0",
    "FlowJob": "FlowJob FLOW/0",
    "FlowRun": "FlowRun run:FLOW:0:0.0",
}
"""What is asked for by a name, or by a global id of a kind."""
ROUTES = [
    "/jobs/secret-job/variables/done",
    "/jobs/secret-job/variables/done.js",
    "/jobs/secret-job/variables/done/results",
    "/jobs/secret-job/variables/done/results/u0",
    "/flows/FLOW",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        await running.mutate("owner", "createJob", "", **JOB)
        await running.mutate("owner", "createVariables", "", job="secret-job", variables=VARIABLES)
        value = {"is": "SECRET"}
        await running.mutate("owner", "createResult", "", job="secret-job", variable="done", value=value)
        await fail(running)
        await running.runtime.store.jobs.set("job:secret-job", {"review_reason": "SECRET"})
        await running.mutate("machine", "claimTasks", "host", host=running.host, jobs=["none"])
        await running.mutate("operator", "blockHost", "", host=running.host.partition(".")[0], reason="SECRET")
        node = {"jobs": [{"job": "secret-job", "variable": "open"}], "name": "SECRET"}
        flow = (await running.mutate("owner", "submitFlow", "flow { key visibility }", **node))["flow"]
        assert flow["visibility"] == "PRIVATE"
        running.flow = flow["key"]
        yield running


async def fail(pool: AccessPool) -> None:
    """Have one of the variables fail, by a volunteer without a token."""
    wanted = "host tasks { id variable lease { token } }"
    claimed = await pool.mutate("none", "claimTasks", wanted, first=5, jobs=["secret-job"])
    task = next(each for each in claimed["tasks"] if each["variable"] == {"is": "SECRET"} and ":failed:" in path(each))
    report = {"task": task["id"], "lease": task["lease"]["token"], "error": "SECRET"}
    await pool.mutate("none", "submitResults", "", host=claimed["host"], results=[report])
    held = [{"task": each["id"], "lease": each["lease"]["token"]} for each in claimed["tasks"] if each is not task]
    await pool.mutate("none", "releaseTasks", "", tasks=held)


def path(task: dict[str, Any]) -> str:
    return from_base64(task["id"])[1]


async def ticket(pool: AccessPool, key: str) -> str:
    """The key by which a client without a token knows a variable that it was handed out."""
    variable = await variables.get(pool.runtime, "secret-job", key)
    return (await tickets.keys_for(pool.runtime, ANONYMOUS, [variable]))(variable)


async def filled(pool: AccessPool, query: str) -> str:
    for name in ("done", "failed"):
        query = query.replace("HOST", pool.host.partition(".")[0])
        query = query.replace(f'"{name.upper()}"', f'"{await ticket(pool, name)}"')
    if not query.startswith("{"):
        kind, key = query.replace("FLOW", pool.flow).split(" ")
        return f'{{ found: node(id: "{to_base64(kind, key)}") {{ id }} }}'
    return query.replace("FLOW", pool.flow)


def private_fields() -> set[str]:
    types = (each for each in schema._schema.type_map.values() if isinstance(each, GraphQLObjectType))
    return {
        f"{each.name}.{name}"
        for each in types
        for name, field in each.fields.items()
        if "strawberry-definition" in field.extensions
        and any(isinstance(said, IsPrivate) for said in definition(field).directives)
    }


def check(found: dict[str, Any]) -> None:
    """`found` is whether each principal was shown it, or how it was refused."""
    assert found == {name: "UNAUTHENTICATED" if name in REFUSED else name in READERS for name in found}


def refused(answer: dict[str, Any]) -> str:
    codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
    assert codes <= {"UNAUTHENTICATED", "NOT_FOUND"}
    return "UNAUTHENTICATED" if "UNAUTHENTICATED" in codes else ""


async def test_each_private_field_has_its_query() -> None:
    assert private_fields() == FIELDS.keys()


@pytest.mark.parametrize("name", SEEN_BY_ALL)
async def test_each_field_of_what_strangers_see_is_private_or_meant_for_them(name: str) -> None:
    kind = schema._schema.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    private = {field.partition(".")[2] for field in private_fields() if field.startswith(f"{name}.")}
    assert kind.fields.keys() - private == set(SEEN_BY_ALL[name].split())


@pytest.mark.parametrize("field", FIELDS)
async def test_a_private_field_is_null_or_empty_for_all_but_readers(pool: AccessPool, field: str) -> None:
    query = await filled(pool, FIELDS[field])
    found = {}
    for principal in pool.tokens:
        answer = await pool.ask(principal, query)
        found[principal] = refused(answer) or SHOWN.get(field, "SECRET") in json.dumps(answer, separators=(",", ":"))
    check(found)


@pytest.mark.parametrize("name", NAMED)
async def test_what_is_private_is_not_there_for_all_but_readers(pool: AccessPool, name: str) -> None:
    query = await filled(pool, NAMED[name])
    found = {}
    for principal in pool.tokens:
        answer = await pool.ask(principal, query)
        found[principal] = refused(answer) or '"found": {' in json.dumps(answer) or '"SECRET"' in json.dumps(answer)
    check(found)


@pytest.mark.parametrize("route", ROUTES)
async def test_the_same_holds_for_routes(pool: AccessPool, route: str) -> None:
    found = {}
    for principal in pool.tokens:
        answer = await pool.http.get(route.replace("FLOW", pool.flow), headers=pool.header(principal))
        found[principal] = {200: True, 404: False, 401: "UNAUTHENTICATED"}[answer.status_code]
        assert ("SECRET" in answer.text) == (found[principal] is True)
    check(found)


@pytest.mark.parametrize("transport", ["websocket", "events"])
async def test_a_private_flow_is_watched_by_readers_only(pool: AccessPool, transport: str) -> None:
    query = f'subscription {{ flowProgress(id: "{pool.flow}") {{ flow {{ name }} }} }}'
    found = {}
    for principal in pool.tokens:
        connection: Connection = subscribed(transport, query, pool.header(principal))
        connection.read_on()
        async with connection.to(pool.app):
            await connection.hears('"payload":' if transport == "websocket" else "event:next")
        text = connection.text()
        found[principal] = "UNAUTHENTICATED" if "UNAUTHENTICATED" in text else "SECRET" in text
        assert (found[principal] is False) == ("NOT_FOUND" in text)
    check(found)


async def test_dashboards_learn_who_may_read_a_job(pool: AccessPool) -> None:
    wanted = "viewerCanRead name owner description policy { visibility } variableCounts { open }"
    query = f'{{ job(key: "secret-job") {{ {wanted} }} }}'
    for principal in pool.tokens.keys() - REFUSED:
        job = (await pool.ask(principal, query))["data"]["job"]
        assert job.pop("viewerCanRead") == (principal in READERS)
        assert (job["name"], job["owner"], job["policy"]) == ("Secret job", "ada", {"visibility": "PRIVATE"})


async def test_nobody_makes_flows_of_anothers_private_job(pool: AccessPool) -> None:
    given = {"jobs": [{"job": "secret-job"}]}
    [error] = (await pool.mutate("other owner", "submitFlow", "", **given))["userErrors"]
    assert (error["code"], error["field"]) == ("FORBIDDEN", "jobs[0].job")
    [error] = (await pool.mutate("owner", "submitFlow", "", **given, visibility="PUBLIC"))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_INPUT", "visibility")


async def test_results_for_a_private_flow_are_not_shown_at_a_public_job(pool: AccessPool) -> None:
    shared = {"name": "Shared", "executeFunction": FUNCTION, "policy": {"visibility": "PUBLIC"}}
    await pool.mutate("owner", "createJob", "", **shared)
    await pool.mutate("other owner", "submitFlow", "", jobs=[{"job": "shared"}])
    wanted = "host tasks { id lease { token } }"
    claimed = await pool.mutate("none", "claimTasks", wanted, jobs=["shared"])
    report = {"task": claimed["tasks"][0]["id"], "lease": claimed["tasks"][0]["lease"]["token"], "value": "SECRET"}
    await pool.mutate("none", "submitResults", "", host=claimed["host"], results=[report])
    query = '{ job(key: "shared") { results { nodes { value } } } }'
    seen = {who: "SECRET" in json.dumps(await pool.ask(who, query)) for who in pool.tokens.keys() - REFUSED}
    assert {who for who in seen if seen[who]} == {"other owner", "operator"}


async def test_what_was_stored_before_there_were_private_jobs_stays_public(pool: AccessPool) -> None:
    job = await pool.runtime.store.jobs.by_key("work")
    assert job
    old = {name: value for name, value in job.policy.items() if name != "visibility"}
    await pool.runtime.store.jobs.set(job.id, {"policy": old})
    answer = await pool.ask("none", '{ job(key: "work") { viewerCanRead variables { nodes { key } } } }')
    assert answer["data"]["job"] == {"viewerCanRead": True, "variables": {"nodes": [{"key": "v"}]}}
    await pool.runtime.store.jobs.set(job.id, {"policy": job.policy})
