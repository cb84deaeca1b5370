"""`--review`: jobs of accounts that no operator has approved wait for approval."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from resolvers.sweeping.sweep import sweep
from tests.resolvers.playing import DOUBLE
from tests.server.access_pool import AccessPool, access_pool

RULE = '(variable, result, context) => { if (result === undefined) throw new Error("called"); return true; }'
JOB = '{ job(key: "new") { review reviewReason state } }'
WAITS = """query ($key: String!) { flow(key: $key) { state whyWaiting { kind message }
  nodes(first: 9) { nodes { state reason whyWaiting { kind message } } } } }"""


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[AccessPool]:
    async with access_pool() as running:
        # What was there before is not held.
        running.runtime.reviews = True
        yield running


async def submit(pool: AccessPool, who: str = "owner", **said: Any) -> str:
    given = {"name": "New", "executeFunction": DOUBLE, **said}
    job = await pool.mutate(who, "createJob", "job { review }", **given)
    assert job["userErrors"] == []
    added = await pool.mutate(who, "createVariables", "variables { key }", job="new", variables=[{"value": 1}])
    assert added["userErrors"] == []
    return str(job["job"]["review"])


async def claimed(pool: AccessPool) -> list[int]:
    """What a volunteer gets of the job."""
    claim = await pool.mutate("none", "claimTasks", "tasks { variable }", first=5, jobs=["new"])
    return [each["variable"] for each in claim["tasks"]]


async def waits(pool: AccessPool, flow: str) -> Any:
    return (await pool.ask("owner", WAITS, key=flow))["data"]["flow"]


async def test_a_job_waits_until_it_is_approved(pool: AccessPool) -> None:
    assert await submit(pool, validateResult=RULE) == "PENDING"
    assert (await pool.ask("owner", JOB))["data"]["job"] == {
        "review": "PENDING",
        "reviewReason": None,
        "state": "ACTIVE",
    }
    assert await claimed(pool) == []
    again = await pool.mutate("none", "claimTasks", "whyNoWork", jobs=["new"])
    assert again["whyNoWork"] == "NO_SUPPORTED_WORK"
    waiting = await pool.ask("operator", "{ jobsToApprove { nodes { key owner } } }")
    assert waiting["data"]["jobsToApprove"]["nodes"] == [{"key": "new", "owner": "ada"}]
    approved = await pool.mutate("operator", "approveJob", "job { review }", job="new")
    assert approved == {"job": {"review": "APPROVED"}, "userErrors": []}
    assert await claimed(pool) == [1]
    assert (await pool.ask("operator", "{ jobsToApprove { nodes { key } } }"))["data"]["jobsToApprove"]["nodes"] == []
    assert (await pool.mutate("owner", "createJob", "job { review }", name="Next", executeFunction=DOUBLE))["job"] == {
        "review": "PENDING"
    }


async def test_clients_of_the_original_get_no_work_of_it(pool: AccessPool) -> None:
    await submit(pool, policy={"visibility": "PUBLIC"}, variableScheduler="() => { throw new Error('called') }")
    for principal in ("none", "owner"):
        shown = await pool.http.get("/jobs/new/variables", headers=pool.header(principal))
        assert shown.json()["warningMessage"] == "Job has no variables"
    question = '{ job(key: "new") { scheduledVariable { key } openVariables { nodes { key } } schedulerProblem } }'
    offered = (await pool.ask("owner", question))["data"]["job"]
    assert offered == {"scheduledVariable": None, "openVariables": {"nodes": []}, "schedulerProblem": None}
    for _ in range(10):
        assert (await pool.ask("none", "{ scheduledJob { key } }"))["data"]["scheduledJob"]["key"] != "new"


async def test_an_account_is_approved_with_its_jobs_and_all_that_it_submits(pool: AccessPool) -> None:
    assert await submit(pool) == "PENDING"
    assert await claimed(pool) == []
    answer = await pool.mutate("operator", "approveAccount", "account { key approvedAt }", account="ada")
    assert answer["account"]["approvedAt"]
    assert await pool.mutate("operator", "approveAccount", "account { key approvedAt }", account="ada") == answer
    assert await claimed(pool) == [1]
    later = await pool.mutate("owner", "createJob", "job { review }", name="Later", executeFunction=DOUBLE)
    assert later["job"] == {"review": "APPROVED"}
    other = await pool.mutate("other owner", "createJob", "job { review }", name="Other", executeFunction=DOUBLE)
    assert other["job"] == {"review": "PENDING"}


async def test_what_an_operator_submits_needs_no_approval(pool: AccessPool) -> None:
    assert await submit(pool, "operator") == "APPROVED"
    account = (await pool.ask("operator", "{ viewer { account { approvedAt } } }"))["data"]["viewer"]["account"]
    assert account["approvedAt"]


async def test_a_job_whose_functions_change_waits_again(pool: AccessPool) -> None:
    await submit(pool)
    await pool.mutate("operator", "approveJob", "", job="new")

    async def changed(who: str, **changes: Any) -> Any:
        return (await pool.mutate(who, "updateJob", "job { review }", job="new", **changes))["job"]["review"]

    assert await changed("owner", metadata={"more": 1}, validateResult="") == "APPROVED"
    assert await changed("operator", validateResult=RULE) == "APPROVED"
    assert await changed("owner", validateResult=RULE) == "APPROVED"
    assert await changed("owner", compareResults="(a, b) => a === b") == "PENDING"
    assert await claimed(pool) == []


async def test_none_of_its_functions_is_called_while_it_waits(pool: AccessPool) -> None:
    await submit(pool)
    await pool.mutate("operator", "approveJob", "", job="new")
    wanted = "host tasks { id lease { token } }"
    claim = await pool.mutate("none", "claimTasks", wanted, first=1, jobs=["new"])
    [task] = claim["tasks"]
    await pool.mutate("owner", "updateJob", "", job="new", validateResult="() => false")
    report = {"task": task["id"], "lease": task["lease"]["token"], "value": 2}
    taken = await pool.mutate(
        "none", "submitResults", "results { verdict reason }", host=claim["host"], results=[report]
    )
    [result] = taken["results"]
    assert result["verdict"] == "PENDING"
    assert "waits for the approval" in result["reason"]


async def test_the_owner_reads_why_a_job_is_rejected(pool: AccessPool) -> None:
    await submit(pool)
    flow = (await pool.mutate("owner", "submitFlow", "flow { key }", jobs=[{"job": "new"}]))["flow"]["key"]
    assert await claimed(pool) == []
    [refused] = (await pool.mutate("operator", "rejectJob", "", job="new", reason=" "))["userErrors"]
    assert (refused["code"], refused["field"]) == ("BAD_INPUT", "reason")
    rejected = await pool.mutate("operator", "rejectJob", "job { review state }", job="new", reason="It mines coins.")
    assert rejected["job"] == {"review": "REJECTED", "state": "ARCHIVED"}
    assert (await pool.ask("owner", JOB))["data"]["job"]["reviewReason"] == "It mines coins."
    assert (await pool.ask("other owner", JOB))["data"]["job"]["reviewReason"] is None
    [refused] = (await pool.mutate("operator", "approveJob", "", job="new"))["userErrors"]
    assert refused["code"] == "CONFLICT"
    [refused] = (await pool.mutate("owner", "createVariables", "", job="new", variables=[{"value": 1}]))["userErrors"]
    assert refused["code"] == "CONFLICT"
    await sweep(pool.runtime)
    ended = await waits(pool, flow)
    assert ended["state"] == "FAILED"
    assert "It mines coins." in ended["nodes"]["nodes"][0]["reason"]


async def test_what_is_computed_for_a_rejected_job_is_not_wanted_any_more(pool: AccessPool) -> None:
    await submit(pool)
    await pool.mutate("operator", "approveJob", "", job="new")
    claim = await pool.mutate("none", "claimTasks", "host tasks { id lease { token } }", first=1, jobs=["new"])
    [task] = claim["tasks"]
    held = {"task": task["id"], "lease": task["lease"]["token"]}
    await pool.mutate("operator", "rejectJob", "", job="new", reason="It mines coins.")
    [lost] = (await pool.mutate("none", "extendLease", "", tasks=[held]))["userErrors"]
    [refused] = (await pool.mutate("none", "submitResults", "", host=claim["host"], results=[{**held, "value": 2}]))[
        "userErrors"
    ]
    assert (lost["code"], refused["code"]) == ("LEASE_LOST", "LEASE_LOST")


async def test_a_flow_says_what_it_waits_for(pool: AccessPool) -> None:
    await submit(pool)
    given = {"jobs": [{"job": "new"}], "dependent": {"jobs": [{"job": "public", "variable": "p", "if": "() => true"}]}}
    await pool.mutate("owner", "createVariables", "", job="public", variables=[{"id": "p", "value": 1}])
    flow = (await pool.mutate("owner", "submitFlow", "flow { key }", **given))["flow"]["key"]
    found = await waits(pool, flow)
    assert [each["kind"] for each in found["whyWaiting"]] == ["REVIEW"]
    assert "conditions wait for the approval of the account 'ada'" in found["whyWaiting"][0]["message"]
    plain = (await pool.mutate("owner", "submitFlow", "flow { key }", jobs=[{"job": "new"}]))["flow"]["key"]
    [wait] = (await waits(pool, plain))["whyWaiting"]
    assert (wait["kind"], wait["message"]) == ("REVIEW", "the job 'new' waits for the approval of the pool's operator")
    await pool.mutate("operator", "approveAccount", "", account="ada")
    pool.runtime.takeover_ms = 0
    clock = pool.runtime.now
    pool.runtime.now = lambda: clock() + 60_000
    await sweep(pool.runtime)
    assert "REVIEW" not in str(await waits(pool, flow)) + str(await waits(pool, plain))
    # The variable, and its run in the flow that has no levels.
    assert await claimed(pool) == [1, 1]


async def test_each_act_is_in_the_audit_log(pool: AccessPool) -> None:
    await submit(pool)
    await pool.mutate("operator", "approveJob", "", job="new")
    await pool.mutate("operator", "rejectJob", "", job="new", reason="No.")
    await pool.mutate("operator", "approveAccount", "", account="ada")
    log = await pool.ask("operator", "{ auditLog(first: 3) { nodes { account action subject } } }")
    assert [(each["action"], each["subject"]) for each in log["data"]["auditLog"]["nodes"]] == [
        ("approveAccount", "account ada"),
        ("rejectJob", "job new"),
        ("approveJob", "job new"),
    ]
    assert {each["account"] for each in log["data"]["auditLog"]["nodes"]} == {"operator"}


@pytest.mark.parametrize("is_reviewing", [True, False])
async def test_a_job_that_waits_goes_on_waiting_when_jobs_are_reviewed_no_more(
    pool: AccessPool, is_reviewing: bool
) -> None:
    await submit(pool)
    pool.runtime.reviews = is_reviewing
    assert await claimed(pool) == []
    await pool.mutate("operator", "approveJob", "", job="new")
    assert await claimed(pool) == [1]
