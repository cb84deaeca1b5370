"""The two vocabularies: each row of the contract's table, in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.contract.scenario import EXECUTE, Job, links

INPUT = {"data_field_one": {"foo": 1}}


def hrefs(found: Mapping[str, Any], *rels: str) -> set[str]:
    """Where these rels lead, each of them a link object."""
    return {found[rel]["href"] for rel in rels}


async def test_table_row_root_is_the_documented_property_and_the_shipped_links(job: Job) -> None:
    root = await job.client.get("/")
    assert root.json()["job_scheduler_url"] == "/jobs/scheduler"
    assert hrefs(links(root), "self", "api-root") == {f"{job.root}/"}
    assert hrefs(links(root), "jobs-root") == {f"{job.root}/jobs"}


async def test_table_row_jobs_shows_a_scheduled_job_and_links_to_all(job: Job) -> None:
    answer = await job.client.get("/jobs")
    found = links(answer)
    assert {"name", "execute_function", "metadata"} <= answer.json().keys()
    assert hrefs(found, "self", "jobs-root") == {f"{job.root}/jobs"}
    assert hrefs(found, "api-root") == {f"{job.root}/"}
    latest = links(await job.client.get("/jobs?last=1"))["jobs"]
    names = {link["href"]: link["name"] for link in latest}
    assert names[job.url] == job.key.replace("-", " ").capitalize()


@pytest.mark.parametrize("route", ["J", "/jobs/scheduled", "/jobs/scheduled/random", "/jobs/scheduler"])
async def test_table_row_job_has_its_own_url_and_both_vocabularies(job: Job, route: str) -> None:
    answer = await job.client.get(job.url if route == "J" else route)
    found = links(answer)
    url = f"{job.root}/jobs/{answer.json()['key']}"
    assert hrefs(found, "self", "get-job") == {url}
    assert hrefs(found, "get_variables", "variables-root") == {f"{url}/variables"}
    assert hrefs(found, "api-root") == {f"{job.root}/"}
    assert hrefs(found, "jobs-root") == {f"{job.root}/jobs"}


async def test_table_row_variables_shows_a_variable_and_links_to_those_that_want_work(job: Job) -> None:
    urls = {await job.variable(INPUT) for _ in range(3)}
    answer = await job.client.get(f"{job.url}/variables")
    found = links(answer)
    assert found["self"]["href"] in urls
    assert answer.json()["data_field_one"] == {"foo": 1}
    assert {link["href"] for link in found["variables"]} == urls
    assert hrefs(found, "post_result") == {f"{found['self']['href']}/results"}
    assert hrefs(found, "get_job", "get-job") == {job.url}
    assert hrefs(found, "variables-root") == {f"{job.url}/variables"}
    assert hrefs(found, "jobs-root") == {f"{job.root}/jobs"}
    assert hrefs(found, "api-root") == {f"{job.root}/"}


async def test_table_row_variables_follows_the_jobs_own_variable_scheduler(client: httpx.AsyncClient) -> None:
    choosy = "function (context) { return context.variables.map(v => v.id).sort()[1]; }"
    body = {"name": "Choosy", "execute_function": EXECUTE, "variable_scheduler": choosy}
    made = await client.post("/jobs", json=body)
    scheduled = Job(client, "choosy")
    assert made.headers["location"] == scheduled.url
    for name in ("a", "b", "c"):
        await scheduled.variable(INPUT, id=name)
    for _ in range(5):
        picked = links(await client.get(f"{scheduled.url}/variables"))
        assert picked["self"]["href"] == f"{scheduled.url}/variables/b"


async def test_table_row_variables_warns_where_there_are_none(job: Job) -> None:
    answer = await job.client.get(f"{job.url}/variables")
    assert answer.status_code == 200
    assert answer.json()["warningMessage"] == "Job has no variables"
    assert links(answer)["variables"] == []


async def test_table_row_variable_is_the_input_itself_and_the_input_whole(job: Job, variable: str) -> None:
    answer = await job.client.get(variable)
    shown = answer.json()
    found = shown.pop("_links")
    assert shown == {
        "_id": "test_limit_case",
        "for_jobs": [job.key],
        "variable": INPUT,
        "data_field_one": {"foo": 1},
    }
    assert hrefs(found, "self") == {variable}
    assert hrefs(found, "post_result", "results-root") == {f"{variable}/results"}
    assert hrefs(found, "get_job", "get-job") == {job.url}
    assert hrefs(found, "variables-root") == {f"{job.url}/variables"}


async def test_table_row_posted_variable_is_located_and_echoed(job: Job) -> None:
    made = await job.client.post(f"{job.url}/variables", json=INPUT)
    assert made.status_code == 201
    echo = made.json()
    assert made.headers["location"] == echo.pop("_links")["self"]["href"] == f"{job.url}/variables/{echo['_id']}"
    assert echo == {"for_jobs": [job.key], "variable": INPUT, "_id": echo["_id"]}


async def test_table_row_posted_variable_may_bring_its_id(job: Job) -> None:
    made = await job.client.post(f"{job.url}/variables?id=mine", json=INPUT)
    assert made.headers["location"] == f"{job.url}/variables/mine"
    assert (await job.client.post(f"{job.url}/variables?id=mine", json=INPUT)).status_code == 409


@pytest.mark.parametrize("collection", ["results", "result"])
async def test_table_row_posted_result_is_located_and_echoed(job: Job, variable: str, collection: str) -> None:
    made = await job.client.post(f"{variable}/{collection}", json={"sum": 2})
    assert made.status_code == 201
    echo = made.json()
    del echo["_links"]
    assert made.headers["location"] == f"{variable}/results/{echo['_id']}"
    assert echo == {
        "from_job": job.key,
        "from_variable": "test_limit_case",
        "result": {"sum": 2},
        "_id": echo["_id"],
    }


async def test_table_row_results_can_be_read_where_the_original_could_not(job: Job, variable: str) -> None:
    location = (await job.client.post(f"{variable}/results", json={"sum": 2})).headers["location"]
    one = (await job.client.get(location)).json()
    assert (one["result"], one["verdict"]) == ({"sum": 2}, "CANONICAL")
    listed = await job.client.get(f"{variable}/results")
    assert listed.json()["_embedded"]["results"] == [one]
    assert links(listed)["results"] == [{"href": location}]


@pytest.mark.parametrize("members", [0, 1, 2])
async def test_table_rels_are_always_an_array_or_always_an_object(job: Job, members: int) -> None:
    for _ in range(members):
        await job.variable(INPUT)
    url = await job.variable(INPUT, id="with-results")
    for agent in ("a", "b")[:members]:
        await job.client.post(f"{url}/results", json=1, headers={"user-agent": agent})
    answers = [
        links(await job.client.get(each))
        for each in ("/", "/jobs", job.url, f"{job.url}/variables", url, f"{url}/results")
    ]
    for found in answers:
        for rel, value in found.items():
            assert isinstance(value, list) == (rel in ("jobs", "variables", "results", "curies")), rel
    assert len(answers[3]["variables"]) == members + (members == 0)
    assert len(answers[5]["results"]) == members


async def test_our_own_relations_are_curies_that_lead_to_their_documentation(job: Job, variable: str) -> None:
    for url in ("/", "/jobs", job.url, variable):
        found = links(await job.client.get(url))
        [curie] = found["curies"]
        assert (curie["name"], curie["templated"]) == ("cp", True)
        for rel in (rel for rel in found if rel.startswith("cp:")):
            page = await job.client.get(curie["href"].replace("{rel}", rel.removeprefix("cp:")))
            assert page.status_code == 200, rel
            assert rel in page.text
    assert found["cp:results"] == found["results-root"]
