"""What the facade answers for resources and collections."""

from typing import Any

import httpx
import orjson
import pytest

from tests.rest_compat.small_pool.facade import facade_of
from tests.rest_compat.small_pool.types import Pool

H = "http://pool.example"


def hrefs(document: dict[str, Any]) -> dict[str, str]:
    return {rel: link["href"] for rel, link in document["_links"].items() if isinstance(link, dict)}


async def test_the_root_names_the_scheduler_and_links_to_the_jobs(client: httpx.AsyncClient) -> None:
    root = (await client.get("/")).json()
    assert root["job_scheduler_url"] == "/jobs/scheduler"
    assert hrefs(root)["self"] == f"{H}/"
    assert hrefs(root)["api-root"] == f"{H}/"
    assert hrefs(root)["jobs-root"] == f"{H}/jobs"
    assert root["_links"]["job"] == {"href": f"{H}/jobs/{{job_key}}", "templated": True}


async def test_a_job_has_both_vocabularies_and_only_what_it_is_told_to_show(
    client: httpx.AsyncClient, job: str
) -> None:
    answer = (await client.get(job)).json()
    links = hrefs(answer)
    assert links["self"] == links["get-job"] == H + job
    assert links["get_variables"] == links["variables-root"] == f"{H}{job}/variables"
    assert answer["execute_function"] == "return (x => x)(variable, context)"
    assert answer["policy"] == {"quorum": 1, "notes": []}
    assert answer["state"] == "ACTIVE"
    assert "expensive" not in answer


async def test_a_marked_resolver_is_served_awaited(client: httpx.AsyncClient, job: str) -> None:
    assert (await client.get(job)).json()["popularity"] == 2
    assert (await client.get("/jobs")).json()["popularity"] == 2


@pytest.mark.parametrize("path", ["/jobs/scheduler", "/jobs/scheduled", "/jobs/scheduled/oldest"])
async def test_a_scheduled_job_has_the_self_of_its_own_address(client: httpx.AsyncClient, job: str, path: str) -> None:
    answer = await client.get(path)
    assert answer.json()["_links"]["self"]["href"] == answer.headers["content-location"] == H + job


async def test_a_list_argument_is_repeated_in_the_query(client: httpx.AsyncClient, job: str) -> None:
    assert (await client.get("/jobs/scheduler?owners=Nobody")).status_code == 404
    assert (await client.get("/jobs/scheduler?owners=Nobody&owners=Pi")).status_code == 200


async def test_jobs_shows_one_at_the_top_level_and_links_to_all(client: httpx.AsyncClient, job: str) -> None:
    answer = (await client.get("/jobs")).json()
    assert answer["name"] == "Pi"
    assert answer["_links"]["self"]["href"] == f"{H}/jobs"
    assert answer["_links"]["jobs"] == [{"href": H + job, "name": "Pi"}]


async def test_jobs_without_jobs_is_an_empty_array(client: httpx.AsyncClient) -> None:
    answer = await client.get("/jobs")
    assert answer.status_code == 200
    assert answer.json()["_links"]["jobs"] == []


async def test_variables_answers_with_a_variable_and_links_to_all(
    client: httpx.AsyncClient, job: str, variable: str
) -> None:
    answer = (await client.get(f"{job}/variables")).json()
    assert answer["data_field_one"] == {"foo": 1}
    links = hrefs(answer)
    assert links["self"] == H + variable
    assert links["post_result"] == f"{H}{variable}/results"
    assert links["get_job"] == links["get-job"] == H + job
    assert answer["_links"]["variables"] == [{"href": H + variable}]


async def test_variables_without_variables_warns(client: httpx.AsyncClient, job: str) -> None:
    answer = await client.get(f"{job}/variables")
    assert answer.status_code == 200
    assert answer.json()["warningMessage"] == "Job has no variables"
    assert answer.json()["_links"]["variables"] == []


async def test_a_variable_is_served_whole_and_hoisted_without_the_names_that_hurt(
    client: httpx.AsyncClient, job: str
) -> None:
    value = {
        "n": 1,
        "_id": "mine",
        "_links": 1,
        "for_jobs": 2,
        "variable": 3,
        "job": 4,
        "getRandomJob": 5,
        "then": 6,
        "getter": 7,
    }
    location = (await client.post(f"{job}/variables", json=value)).headers["location"]
    answer = (await client.get(location)).json()
    assert answer["variable"] == value
    assert answer["n"] == 1
    assert answer["getter"] == 7
    assert answer["for_jobs"] == ["pi"]
    assert answer["_id"] == "v0"
    assert not {"job", "getRandomJob", "then", "id"} & answer.keys()


@pytest.mark.parametrize("value", [0, True, None, "text", [1, 2], 1.5])
async def test_a_variable_that_is_no_object_hoists_nothing(client: httpx.AsyncClient, job: str, value: object) -> None:
    made = await client.post(f"{job}/variables", content=orjson.dumps(value))
    answer = (await client.get(made.headers["location"])).json()
    assert answer.keys() == {"_links", "_id", "for_jobs", "variable"}
    assert answer["variable"] == value


async def test_results_are_embedded_each_with_its_own_self(client: httpx.AsyncClient, variable: str) -> None:
    await client.post(f"{variable}/results", json=42)
    answer = (await client.get(f"{variable}/results")).json()
    assert answer["_links"]["results"] == [{"href": f"{H}{variable}/results/0"}]
    [result] = answer["_embedded"]["results"]
    assert result["_links"]["self"]["href"] == f"{H}{variable}/results/0"
    assert (await client.get(f"{variable}/results/0")).json() == result


async def test_long_collections_are_paged_both_ways(client: httpx.AsyncClient, job: str) -> None:
    for number in range(205):
        await client.post("/jobs", json={"name": f"n{number:03}", "execute_function": "x"})
    pages, url = [], "/jobs"
    while url:
        page = (await client.get(url)).json()
        pages.append([link["name"] for link in page["_links"]["jobs"]])
        previous = page["_links"].get("prev")
        url = page["_links"].get("next", {}).get("href")
    assert [len(names) for names in pages] == [100, 100, 6]
    back = (await client.get(previous["href"])).json()
    assert [link["name"] for link in back["_links"]["jobs"]] == pages[1]


async def test_a_page_keeps_its_size_and_filter(client: httpx.AsyncClient, job: str) -> None:
    await client.post("/jobs", json={"name": "Euler", "execute_function": "x"})
    page = (await client.get("/jobs?first=1&state=ACTIVE")).json()
    assert page["_links"]["next"]["href"] == f"{H}/jobs?state=ACTIVE&first=1&after=0"
    assert page["_links"]["self"]["href"] == f"{H}/jobs?first=1&state=ACTIVE"


async def test_a_page_has_at_most_a_hundred_links(client: httpx.AsyncClient, pool: Pool, job: str) -> None:
    for number in range(120):
        await client.post("/jobs", json={"name": f"n{number}", "execute_function": "x"})
    assert len((await client.get("/jobs?first=5000")).json()["_links"]["jobs"]) == 100


async def test_an_id_with_reserved_characters_has_an_address_that_works(client: httpx.AsyncClient, job: str) -> None:
    made = await client.post(f"{job}/variables", json=1, params={"id": "a/b c%?ü"})
    answer = await client.get(made.headers["location"])
    assert answer.json()["_id"] == "a/b c%?ü"
    assert answer.json()["_links"]["self"]["href"] == made.headers["location"]


async def test_the_worker_script_is_the_same_address_in_another_type(client: httpx.AsyncClient, variable: str) -> None:
    by_suffix = await client.get(f"{variable}.js")
    by_accept = await client.get(variable, headers={"accept": "text/javascript"})
    by_content_type = await client.get(variable, headers={"content-type": "application/javascript"})
    assert by_suffix.text == by_accept.text == by_content_type.text == 'postMessage({"data_field_one":{"foo":1}})'
    assert by_suffix.headers["content-type"] == "application/javascript; charset=utf-8"
    assert by_accept.headers["content-type"] == "text/javascript; charset=utf-8"
    for answer in (by_suffix, by_accept, by_content_type):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "connect-src 'none'" in answer.headers["content-security-policy"]
    links = (await client.get(variable)).json()["_links"]
    assert links["alternate"] == {"href": f"{H}{variable}.js", "type": "application/javascript"}
    assert (await client.get("/jobs/pi/variables/nothing.js")).status_code == 404


async def test_relations_with_a_prefix_are_explained(client: httpx.AsyncClient, variable: str) -> None:
    links = (await client.get(variable)).json()["_links"]
    [curie] = links["curies"]
    assert links["cp:results"]["href"] == links["results-root"]["href"]
    page = await client.get(curie["href"].replace("{rel}", "results"))
    assert page.status_code == 200
    assert "All its results." in page.text


async def test_forms_tell_what_can_be_done(client: httpx.AsyncClient, variable: str) -> None:
    accept = {"accept": "application/prs.hal-forms+json"}
    answer = await client.get("/jobs", headers=accept)
    assert answer.headers["content-type"] == accept["accept"]
    form = answer.json()["_templates"]["default"]
    assert (form["method"], form["target"]) == ("POST", f"{H}/jobs")
    properties = {each["name"]: each for each in form["properties"]}
    assert properties["name"] == {"name": "name", "required": True, "prompt": "Its name.", "type": "text"}
    assert properties["state"]["options"] == {"inline": ["ACTIVE", "ARCHIVED"]}
    assert "secret" not in properties
    templates = (await client.get(variable, headers=accept)).json()["_templates"]
    assert templates["default"]["target"] == f"{H}{variable}/results"
    assert "_templates" not in (await client.get(variable)).json()


async def test_links_use_the_public_address_of_the_settings(pool: Pool) -> None:
    transport = httpx.ASGITransport(facade_of(pool, public_url="https://pool.example.org/api/"))
    async with httpx.AsyncClient(transport=transport, base_url="http://inside:7070") as client:
        root = (await client.get("/")).json()
    assert root["_links"]["self"]["href"] == "https://pool.example.org/api/"
    assert root["_links"]["jobs-root"]["href"] == "https://pool.example.org/api/jobs"


async def test_links_keep_the_path_that_the_facade_is_mounted_at(pool: Pool) -> None:
    transport = httpx.ASGITransport(facade_of(pool), root_path="/pool")
    async with httpx.AsyncClient(transport=transport, base_url="http://pool.example") as client:
        jobs = (await client.get("/pool/jobs")).json()
    assert jobs["_links"]["self"]["href"] == "http://pool.example/pool/jobs"
    assert jobs["_links"]["api-root"]["href"] == "http://pool.example/pool/"
