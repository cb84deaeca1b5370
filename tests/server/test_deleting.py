"""Deleting over HTTP, in a pool that wants tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.server.access_pool import AccessPool, access_pool
from tests.server.connection import Connection

PROBLEM = "application/problem+json"


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        yield running


async def test_rest_deletes_what_is_at_the_address(pool: AccessPool) -> None:
    variable, flow, job = "/jobs/work/variables/v", f"/flows/{pool.flow}", "/jobs/work"
    for url in (variable, flow, job):
        assert "DELETE" in (await pool.http.options(url)).headers["allow"]
        assert (await pool.http.get(url, headers=pool.header("owner"))).status_code == 200
        deleted = await pool.http.delete(url, headers=pool.header("owner"))
        assert (deleted.status_code, deleted.content) == (204, b"")
        for again in (
            await pool.http.get(url, headers=pool.header("owner")),
            await pool.http.delete(url, headers=pool.header("owner")),
        ):
            assert again.status_code == 404
            assert again.headers["content-type"] == PROBLEM
            assert again.json()["code"] == "NOT_FOUND"
    left = (await pool.http.get("/jobs")).json()["_links"]["jobs"]
    assert [each["name"] for each in left] == ["Public"]
    assert (await pool.http.post("/jobs/work/variables", json=1)).status_code == 404


async def test_rest_refuses_who_may_not_delete(pool: AccessPool) -> None:
    for url in ("/jobs/work/variables/v", f"/flows/{pool.flow}", "/jobs/work"):
        anonymous = await pool.http.delete(url)
        assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")
        assert (await pool.http.delete(url, headers=pool.header("other owner"))).status_code == 403
        assert (await pool.http.get(url, headers=pool.header("owner"))).status_code == 200


async def test_a_host_is_deleted_by_its_own_token_or_by_an_operator(pool: AccessPool) -> None:
    key = pool.host.partition(".")[0]
    for principal, code in (("none", "UNAUTHENTICATED"), ("owner", "FORBIDDEN")):
        [refused] = (await pool.mutate(principal, "deleteHost", "deletedId", host=key))["userErrors"]
        assert refused["code"] == code
    assert (await pool.http.request("DELETE", f"/hosts/{key}", json={"token": f"{key}.wrong"})).status_code == 401
    other = (await pool.mutate("none", "claimTasks", "host", first=1))["host"]
    [refused] = (await pool.mutate("none", "deleteHost", "deletedId", host=key, token=other))["userErrors"]
    assert (refused["code"], refused["field"]) == ("FORBIDDEN", "token")
    assert (await pool.http.request("DELETE", f"/hosts/{key}", json={"token": pool.host})).status_code == 204
    [unknown] = (await pool.mutate("none", "claimTasks", "host", host=pool.host))["userErrors"]
    assert (unknown["code"], unknown["field"]) == ("UNAUTHENTICATED", "host")
    deleted = await pool.http.delete(f"/hosts/{other.partition('.')[0]}", headers=pool.header("operator"))
    assert deleted.status_code == 204
    assert (await pool.ask("none", "{ hosts { nodes { key } } }"))["data"]["hosts"]["nodes"] == []


async def test_an_account_takes_its_tokens_jobs_and_flows_with_it(pool: AccessPool) -> None:
    assert (await pool.mutate("owner", "deleteAccount", "deletedKey", account="ada")) == {
        "deletedKey": "ada",
        "userErrors": [],
    }
    refused = await pool.ask("owner", "{ viewer { scopes } }")
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    found = await pool.ask("none", "{ jobs { nodes { key } } flows { nodes { key } } }")
    assert found["data"] == {"jobs": {"nodes": []}, "flows": {"nodes": []}}
    known = await pool.ask("operator", "{ accounts { nodes { key } } }")
    assert "ada" not in [each["key"] for each in known["data"]["accounts"]["nodes"]]
    [again] = (await pool.mutate("operator", "createAccount", "", name="Ada"))["userErrors"]
    assert again["code"] == "IN_PROGRESS"


async def test_what_is_deleted_has_no_global_id_any_more(pool: AccessPool) -> None:
    runs = "runs(first: 2) { nodes { id tasks { id } } }"
    wanted = f"""{{ job(key: "work") {{ id variable(id: "v") {{ id tasks {{ id }} }} }}
      flow(key: "{pool.flow}") {{ id root {{ id }} nodes(first: 2) {{ nodes {{ id {runs} }} }} }} }}"""
    found = (await pool.ask("owner", wanted))["data"]
    variable, flow = found["job"]["variable"], found["flow"]
    [node] = flow["nodes"]["nodes"]
    [run] = node["runs"]["nodes"]
    ids = [found["job"]["id"], variable["id"], *(each["id"] for each in variable["tasks"])]
    of_flow = [flow["id"], flow["root"]["id"], node["id"], run["id"], *(each["id"] for each in run["tasks"])]
    for mutation, given in (("deleteJob", {"job": "work"}), ("deleteFlow", {"flow": pool.flow})):
        deleted = await pool.mutate("owner", mutation, "deletedId", **given)
        assert deleted["deletedId"] in (found["job"]["id"], flow["id"])
        assert deleted["userErrors"] == []
    for each in [*ids, *of_flow]:
        assert (await pool.ask("owner", "query ($id: ID!) { node(id: $id) { id } }", id=each))["data"]["node"] is None


@pytest.mark.parametrize("transport", ["events"])
async def test_who_watches_a_deleted_flow_is_told(pool: AccessPool, transport: str) -> None:
    query = f'subscription {{ flowProgress(id: "{pool.flow}") {{ cursor }} }}'
    headers = {"content-type": "application/json", "accept": "text/event-stream", "host": "pool.example"}
    body = f'{{"query": "{query}"}}'.replace('"' + pool.flow + '"', f'\\"{pool.flow}\\"').encode()
    scope = {"type": "http", "method": "POST", "scheme": "http", "http_version": "1.1"}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    connection = Connection({**scope, "headers": encoded}, {"type": "http.request", "body": body})
    connection.read_on()
    async with connection.to(pool.app):
        await connection.hears("event:next")
        assert (await pool.mutate("owner", "deleteFlow", "deletedId", flow=pool.flow))["userErrors"] == []
        await connection.hears('"code":"NOT_FOUND"')
