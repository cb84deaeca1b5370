"""What `POST /flows` says of a flow that it turns down."""

import pytest

from tests.contract.scenario import Job


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
    assert (answer.status_code, problem["code"], problem["field"]) == (404, "NOT_FOUND", "jobs[0].job")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("jobs[0].job", "NOT_FOUND"),
        ("jobs[1].if", "UNPARSABLE_JAVASCRIPT"),
    ]
