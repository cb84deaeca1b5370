"""What `POST /flows` says of a flow that it turns down."""

import json
from typing import Any

import pytest

from tests.contract.scenario import Job

AS_JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("idempotencyKey", "sent as the header Idempotency-Key"),
        ("idempotency_key", "sent as the header Idempotency-Key"),
        ("onFailure", "it is called on_failure"),
        ("on_fail", "known are jobs, dependent"),
    ],
)
async def test_a_flow_that_is_spelled_as_in_graphql_is_told_the_spelling_here(job: Job, field: str, hint: str) -> None:
    answer = await job.client.post("/flows", json={"jobs": [{"job": job.key}], field: "x"})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert hint in answer.json()["message"]


async def test_all_that_is_wrong_with_a_flow_is_told_at_once(job: Job) -> None:
    answer = await job.client.post("/flows", json={"jobs": [{"job": "nowhere"}, {"job": job.key, "if": "(v => 1"}]})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "NOT_FOUND", "jobs[0].job")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("jobs[0].job", "NOT_FOUND"),
        ("jobs[1].if", "UNPARSABLE_JAVASCRIPT"),
    ]


@pytest.mark.parametrize(
    ("flow", "field"),
    [
        ({"jobs": [{"job": "nowhere"}]}, "jobs[0].job"),
        ({"jobs": [{"job": "{job}", "variable": "nowhere"}]}, "jobs[0].variable"),
        ({"jobs": [{"job": "{job}"}], "dependent": {"jobs": [{"job": "/jobs/nowhere"}]}}, "dependent[0].jobs[0].job"),
    ],
)
async def test_what_a_flow_names_and_is_not_there_makes_it_unprocessable(
    job: Job, flow: dict[str, Any], field: str
) -> None:
    answer = await job.client.post("/flows", content=json.dumps(flow).replace("{job}", job.key), headers=AS_JSON)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"], problem["field"]) == (422, 422, "NOT_FOUND", field)


@pytest.mark.parametrize("path", ["/jobs/nowhere/variables", "/jobs/{job}/variables/nowhere/results"])
async def test_what_an_address_names_and_is_not_there_is_not_found(job: Job, path: str) -> None:
    answer = await job.client.post(path.format(job=job.key), json=1)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_every_value_of_a_wrong_type_is_told(job: Job) -> None:
    answer = await job.client.post(
        "/flows", json={"jobs": [{"job": 3}, {"if": True}, {"job": job.key, "policy": {"quorum": "a"}}]}
    )
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (400, "jobs[0].job")
    assert [error["field"] for error in problem["errors"]] == [
        "jobs[0].job",
        "jobs[1].job",
        "jobs[1].if",
        "jobs[2].policy.quorum",
    ]


async def test_flows_are_listed_newest_first_by_state_and_owner_and_a_page_leads_to_the_next(job: Job) -> None:
    owner = f"owner of {job.key}"
    for number in range(5):
        answer = await job.client.post("/flows", json={"jobs": [{"job": job.key}], "name": str(number), "owner": owner})
        assert answer.status_code == 201
    listed: list[str] = []
    page: str | None = str(job.client.build_request("GET", "/flows", params={"owner": owner, "first": 2}).url)
    pages = 0
    while page:
        answer = await job.client.get(page)
        said = answer.json()
        listed += [each["name"] for each in said["_embedded"]["flows"]]
        page = said["_links"].get("next", {}).get("href")
        assert ('rel="next"' in answer.headers.get("link", "")) == bool(page)
        pages += 1
    assert (listed, pages) == (list("43210"), 3)
    for state, count in (("RUNNING", 5), ("CANCELLED", 0)):
        found = await job.client.get("/flows", params={"owner": owner, "state": state})
        assert len(found.json()["_embedded"]["flows"]) == count
    refused = await job.client.get("/flows", params={"state": "ASLEEP"})
    assert (refused.status_code, refused.json()["field"]) == (400, "state")
