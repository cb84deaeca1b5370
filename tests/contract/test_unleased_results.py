"""Line 12 of the contract, over HTTP: results of whoever holds no lease."""

from __future__ import annotations

from typing import Any

import httpx

from tests.contract.graphql import execute
from tests.contract.scenario import EXECUTE, INPUT, Job

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
