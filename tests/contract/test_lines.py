"""The numbered lines of the contract, each over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.graphql import execute
from tests.contract.scenario import EXECUTE, Job, links

INPUT = {"data_field_one": {"foo": 1}}
JSON = {"content-type": "application/json"}


async def every_url(job: Job) -> list[str]:
    """A URL of each path that the pool's description has, with the methods that it names."""
    location = (await job.client.post(f"{job.url}/variables/test_limit_case/results", json=1)).headers["location"]
    told = {
        "job_key": job.key,
        "variable_id": "test_limit_case",
        "result_id": location.rpartition("/")[2],
        "scheduler": "random",
        "flow_key": "0" * 32,
    }
    paths = (await job.client.get("/openapi.json")).json()["paths"]
    return [job.root + path.format_map(told) for path in paths]


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object in a JSON value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) else []), *(found for each in inner for found in objects(each))]


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


async def test_line_07_options_answers_everywhere_with_a_true_allow(job: Job, variable: str) -> None:
    for url in [*await every_url(job), f"{job.root}/openapi.json", f"{job.root}/rels/cp/jobs", f"{job.url}/"]:
        answer = await job.client.options(url)
        assert answer.status_code == 200, url
        assert answer.headers["access-control-allow-origin"] == "*"
        allowed = set(answer.headers["allow"].split(", "))
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            refused = (await job.client.request(method, url)).status_code == 405
            assert refused == (method not in allowed), (method, url)


async def test_line_07_preflights_allow_what_clients_send(job: Job) -> None:
    asked = {"origin": "https://volunteer.example", "access-control-request-method": "POST"}
    answer = await job.client.options(f"{job.url}/variables", headers=asked)
    accepted = set(answer.headers["access-control-allow-headers"].lower().split(", "))
    assert accepted >= {"content-type", "accept", "authorization", "idempotency-key", "prefer", "if-none-match"}
    assert "POST" in answer.headers["access-control-allow-methods"]


async def test_line_07_responses_and_errors_are_open_to_scripts_of_other_origins(job: Job) -> None:
    for answer in (
        await job.client.get(job.url),
        await job.client.get("/nothing"),
        await job.client.put("/jobs"),
        await job.client.post("/jobs", content=b"{", headers=JSON),
        await job.client.post("/jobs", json={"name": "Seen", "execute_function": EXECUTE}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert exposed >= {"Location", "Link", "ETag", "Allow", "Retry-After", "Deprecation", "Sunset"}
        assert "Content-Location" in exposed


async def test_line_08_head_is_get_without_a_body(job: Job, variable: str) -> None:
    for url in await every_url(job):
        got = await job.client.get(url)
        head = await job.client.head(url)
        assert head.status_code == got.status_code, url
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("suffix", ["/", "//"])
async def test_line_08_trailing_slashes_are_answered(job: Job, variable: str, suffix: str) -> None:
    for url in (f"{job.root}/jobs", job.url, f"{job.url}/variables", variable, f"{variable}/results"):
        answer = await job.client.get(url + suffix)
        assert answer.status_code == 200
    made = await job.client.post(f"{job.url}/variables{suffix}", json=1)
    assert made.status_code == 201


async def test_line_09_errors_are_problems_that_old_readers_understand(job: Job, variable: str) -> None:
    strict = {"name": "Strict", "execute_function": EXECUTE, "validate_result": "(v, r, c) => c.phase === 'variable'"}
    await job.client.post("/jobs", json=strict)
    judged = await Job(job.client, "strict").variable(INPUT)
    no_job, no_variable = f"{job.root}/jobs/none", f"{job.url}/variables/none"
    expected = {
        404: [
            await job.client.get("/nothing"),
            await job.client.get(no_job),
            await job.client.get(f"{no_job}/variables"),
            await job.client.post(f"{no_job}/variables", json=1),
            await job.client.get(no_variable),
            await job.client.post(f"{no_variable}/results", json=1),
            await job.client.get(f"{no_variable}/results"),
            await job.client.get(f"{variable}/results/none"),
            await job.client.get(f"{job.root}/jobs/%00%ff"),
            await job.client.get(f"{job.url}/variables/%2e%2e%2f"),
            await job.client.get(f"{variable}/results/$ne"),
        ],
        400: [await job.client.post(f"{job.url}/variables", content=b"{", headers=JSON)],
        405: [await job.client.put("/jobs"), await job.client.delete(job.url), await job.client.post("/")],
        422: [
            await job.client.post(f"{judged}/results", json=1),
            await job.client.post("/jobs", json={"name": "Broken", "execute_function": "function ( {"}),
        ],
    }
    for status, answers in expected.items():
        for answer in answers:
            assert answer.status_code == status, answer.request.url
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
            assert problem["message"]
            assert problem["code"].isupper()
            assert "Traceback" not in answer.text
    assert all("allow" in answer.headers for answer in expected[405])
    assert expected[422][0].json()["code"] == "REJECTED"


async def test_line_10_generic_clients_find_location_names_and_embedded_selves(job: Job, variable: str) -> None:
    made = await job.client.post(f"{variable}/results", json=1)
    assert "Location" in made.headers["access-control-expose-headers"]
    assert (await job.client.get(made.headers["location"])).status_code == 200
    assert all(link["name"] for link in links(await job.client.get("/jobs"))["jobs"])
    for embedded in (await job.client.get(f"{variable}/results")).json()["_embedded"]["results"]:
        assert (await job.client.get(embedded["_links"]["self"]["href"])).json() == embedded


async def _many(job: Job, count: int) -> set[str]:
    values = [{"value": {"n": n}, "id": f"v{n}"} for n in range(count)]
    mutation = "mutation ($input: CreateVariablesInput!) { createVariables(input: $input) { userErrors { message } } }"
    made = await execute(job.client, mutation, input={"job": job.key, "variables": values})
    assert made["createVariables"]["userErrors"] == []
    return {f"{job.url}/variables/v{n}" for n in range(count)}


async def test_line_10_long_collections_lead_on_and_back(job: Job) -> None:
    await _many(job, 250)
    pages = [await job.client.get(f"{job.url}/variables")]
    while onward := links(pages[-1]).get("next"):
        pages.append(await job.client.get(onward["href"]))
    shown = [[link["href"] for link in links(page)["variables"]] for page in pages]
    assert "prev" not in links(pages[0])
    back = [shown[-1]]
    before = links(pages[-1])["prev"]
    while before:
        page = links(await job.client.get(before["href"]))
        back.insert(0, [link["href"] for link in page["variables"]])
        before = page.get("prev")
    assert back == shown


async def test_line_11_collections_have_pages_of_100_that_cover_all_once_in_random_order(job: Job) -> None:
    urls = await _many(job, 250)
    orders = []
    for _ in range(2):
        found: list[str] = []
        url: str | None = f"{job.url}/variables"
        sizes = []
        while url:
            page = links(await job.client.get(url))
            sizes.append(len(page["variables"]))
            found += [link["href"] for link in page["variables"]]
            url = page.get("next", {}).get("href")
        assert sizes == [100, 100, 50]
        assert len(found) == len(set(found))
        assert set(found) == urls
        orders.append(found)
    assert orders[0] != orders[1]


async def test_line_11_a_page_of_links_holds_only_variables_that_still_want_work(job: Job) -> None:
    urls = await _many(job, 12)
    done = sorted(urls)[:7]
    for url in done:
        assert (await job.client.post(f"{url}/results", json={"sum": 1})).status_code == 201
    for _ in range(3):
        page = links(await job.client.get(f"{job.url}/variables"))
        assert {link["href"] for link in page["variables"]} == urls - set(done)
        assert page["self"]["href"] in urls - set(done)


CLAIM = """mutation ($input: ClaimTasksInput!) {
  claimTasks(input: $input) { host tasks { id variable lease { token } } }
}"""
EXTEND = """mutation ($input: ExtendLeaseInput!) {
  extendLease(input: $input) { leases { token } userErrors { code } }
}"""


async def test_line_12_an_unsolicited_result_is_taken_and_leaves_the_lease_of_another_host_alone(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/jobs", json={"name": "Leased", "execute_function": EXECUTE, "policy": {"quorum": 2}})
    leased = Job(client, "leased")
    url = await leased.variable(INPUT)
    claim = (await execute(client, CLAIM, input={"jobs": ["leased"]}))["claimTasks"]
    [task] = claim["tasks"]
    made = await client.post(f"{url}/results", json={"sum": 2}, headers={"user-agent": "old browser"})
    result = (await client.get(made.headers["location"])).json()
    assert result["unsolicited"] is True
    assert result["verdict"] == "PENDING"
    held = {"task": task["id"], "lease": task["lease"]["token"]}
    extended = (await execute(client, EXTEND, input={"tasks": [held]}))["extendLease"]
    assert extended == {"leases": [{"token": task["lease"]["token"]}], "userErrors": []}
    submit = """mutation ($input: SubmitResultsInput!) {
      submitResults(input: $input) { results { verdict value } userErrors { message } }
    }"""
    report = {**held, "value": {"sum": 2}}
    reported = (await execute(client, submit, input={"host": claim["host"], "results": [report]}))["submitResults"]
    assert reported["userErrors"] == []
    verdicts = {r["verdict"] for r in (await client.get(f"{url}/results")).json()["_embedded"]["results"]}
    assert verdicts == {"CANONICAL", "VALID"}


async def test_line_12_unsolicited_results_go_through_validation_and_quorum(client: httpx.AsyncClient) -> None:
    body = {
        "name": "Voted",
        "execute_function": EXECUTE,
        "validate_result": "(v, r, c) => c.phase === 'variable' || r.sum > 0",
        "policy": {"quorum": 2},
    }
    await client.post("/jobs", json=body)
    url = await Job(client, "voted").variable(INPUT)

    async def post(value: Any, agent: str) -> httpx.Response:
        return await client.post(f"{url}/results", json=value, headers={"user-agent": agent})

    assert (await post({"sum": -1}, "a liar")).status_code == 422
    first = await post({"sum": 2}, "one")
    again = await post({"sum": 2}, "one")
    assert (await client.get(first.headers["location"])).json()["verdict"] == "PENDING"
    assert (await client.get(again.headers["location"])).json()["verdict"] == "INCONCLUSIVE"
    second = await post({"sum": 2}, "two")
    verdicts = [(await client.get(each.headers["location"])).json()["verdict"] for each in (first, second)]
    assert sorted(verdicts) == ["CANONICAL", "VALID"]


@pytest.mark.parametrize("name", ["scheduled", "Scheduler", "SCHEDULED!"])
async def test_reserved_keys_are_refused_because_they_are_routes(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/jobs", json={"name": name, "execute_function": EXECUTE})
    assert answer.status_code == 422
    assert answer.json()["field"] == "name"


async def test_worker_script_is_served_for_its_type_and_at_its_own_address(job: Job, variable: str) -> None:
    linked = links(await job.client.get(variable))["alternate"]
    assert linked == {"href": f"{variable}.js", "type": "application/javascript"}
    scripts = [
        await job.client.get(linked["href"]),
        await job.client.get(variable, headers={"accept": "application/javascript"}),
        await job.client.get(variable, headers={"accept": "text/javascript"}),
        await job.client.get(variable, headers={"content-type": "application/javascript"}),
        await job.client.get(variable, headers={"content-type": "text/javascript"}),
    ]
    assert len({script.text for script in scripts}) == 1
    for script in scripts:
        assert script.status_code == 200
        assert script.headers["content-type"].split(";")[0] in ("application/javascript", "text/javascript")
        assert script.headers["x-content-type-options"] == "nosniff"
        policy = script.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'none'" in policy


@pytest.mark.parametrize("key", ["mine.js", ".", ".."])
async def test_worker_script_addresses_are_no_ids_of_variables(job: Job, key: str) -> None:
    answer = await job.client.post(f"{job.url}/variables", json=1, params={"id": key})
    assert answer.status_code == 422
