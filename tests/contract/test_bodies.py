"""Lines 1 to 6 of the contract, over HTTP: what bodies say, in both directions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.graphql import execute
from tests.contract.scenario import JSON, Job, every_url, links, objects


async def test_line_01_bodies_are_objects_with_absolute_links_and_the_requested_self(job: Job, variable: str) -> None:
    made = await job.client.post(f"{variable}/results", json=1)
    results = f"{variable}/results"
    for url in (f"{job.root}/", f"{job.root}/jobs", job.url, variable, results, made.headers["location"]):
        answer = await job.client.get(url)
        assert answer.status_code == 200
        assert links(answer)["self"]["href"] == url
        for link in (link for each in objects(links(answer)) if (link := each.get("href"))):
            assert link.startswith(f"{job.root}/")


async def test_line_02_link_attributes_are_never_null_or_false(job: Job, variable: str) -> None:
    for url in await every_url(job):
        answer = await job.client.get(url)
        if answer.headers["content-type"] != "application/hal+json":
            continue
        for link in objects(links(answer)):
            assert all(attribute not in (None, False) for attribute in link.values())


TROUBLE = ["job", "compute", "saveResult", "realizedValue", "actual", "setJob", "then", "getJob", "getRandomJob"]
FACADES_OWN = ["_links", "_embedded", "variable", "for_jobs", "_id"]


@pytest.mark.parametrize("name", [*TROUBLE, "getVariable", "getVariablesRoot", "getJobsRoot", *FACADES_OWN])
async def test_line_03_names_that_break_the_shipped_client_stay_inside_of_variable(job: Job, name: str) -> None:
    value = {name: {"mine": 1}, "data": 2}
    url = await job.variable(value)
    for answer in (await job.client.get(url), await job.client.get(f"{job.url}/variables")):
        shown = answer.json()
        assert shown["variable"] == value
        assert shown["data"] == 2
        assert shown.get(name) != {"mine": 1} or name == "variable"


async def test_line_03_the_facade_adds_no_such_name_of_its_own(job: Job, variable: str) -> None:
    for url in (f"{job.root}/", f"{job.root}/jobs", job.url, f"{job.url}/variables", variable):
        names = (await job.client.get(url)).json().keys()
        assert not names & {*TROUBLE, "getVariable", "getVariablesRoot", "getJobsRoot"}


@pytest.mark.parametrize(
    "source",
    [
        "context.result = 1; return context;",
        "function (variable, context) { return context; }",
        "(variable, context) => context",
    ],
)
async def test_line_04_functions_reach_clients_as_bodies_and_graphql_as_they_were_written(
    client: httpx.AsyncClient, source: str
) -> None:
    made = await client.post("/jobs", json={"name": f"Form {hash(source)}", "execute_function": source})
    body = (await client.get(made.headers["location"])).json()["execute_function"]
    assert body == made.json()["execute_function"]
    assert "return" in body  # tests/contract/test_source_forms.py compiles and runs it
    asked = await execute(
        client, "query ($key: String!) { job(key: $key) { executeFunction } }", key=made.json()["key"]
    )
    assert asked["job"]["executeFunction"] == source


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json, text/plain, */*", "application/json"),
        ("application/json", "application/json"),
        ("application/hal+json", "application/hal+json"),
        ("application/vnd.hal+json", "application/vnd.hal+json"),
        ("*/*", "application/hal+json"),
        (None, "application/hal+json"),
    ],
)
async def test_line_05_the_media_type_is_negotiated_over_the_same_bytes(
    job: Job, variable: str, accept: str | None, media_type: str
) -> None:
    for url in (f"{job.root}/", job.url, variable):
        request = job.client.build_request("GET", url)
        del request.headers["accept"]
        if accept:
            request.headers["accept"] = accept
        answer = await job.client.send(request)
        assert answer.headers["content-type"] == media_type
        assert answer.content == (await job.client.get(url)).content


async def test_line_05_a_type_that_cannot_be_produced_is_a_problem(job: Job) -> None:
    answer = await job.client.get(job.url, headers={"accept": "image/png"})
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/hal+json", None]
)
@pytest.mark.parametrize("value", [{}, [], 12, 0, True, False, None, "text", {"nested": [1, {"a": None}]}])
async def test_line_06_bodies_are_any_json_value(job: Job, value: Any, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    body = json.dumps(value).encode()
    made = await job.client.post(f"{job.url}/variables", content=body, headers=headers)
    assert made.status_code == 201
    assert (await job.client.get(made.headers["location"])).json()["variable"] == value
    result = await job.client.post(f"{made.headers['location']}/results", content=body, headers=headers)
    assert result.status_code == 201
    assert (await job.client.get(result.headers["location"])).json()["result"] == value


@pytest.mark.parametrize("body", [b"", b"{", b"nul", b"{'a': 1}", b"\xff", b"NaN"])
async def test_line_06_what_is_no_json_is_400(job: Job, variable: str, body: bytes) -> None:
    for url in ("/jobs", f"{job.url}/variables", f"{variable}/results", f"{variable}/result"):
        answer = await job.client.post(url, content=body, headers=JSON)
        assert answer.status_code == 400
        assert answer.json()["code"] == "BAD_INPUT"


names = st.text(st.sampled_from("$.aé_\\\"'\0 ") | st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.dictionaries(names | st.sampled_from(["$set", "a.b", "$date", "__proto__"]), values, max_size=5))
async def test_line_06_keys_with_dots_and_dollars_come_back_byte_for_byte(job: Job, value: dict[str, Any]) -> None:
    body = json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode()
    made = await job.client.post(f"{job.url}/variables", content=body, headers=JSON)
    answer = await job.client.get(made.headers["location"])
    assert b'"variable":' + body in answer.content
