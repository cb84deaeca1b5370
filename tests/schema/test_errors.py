"""What callers learn of what went wrong."""

import logging

import pytest

from storage.engines import StorageUnavailable
from storage.jobs import Jobs
from tests.resolvers.playing import DOUBLE
from tests.schema.api import Api

JOB = '{ job(key: "a") { key } }'


async def test_what_is_not_there_is_an_error_with_a_code(api: Api) -> None:
    [error] = await api.errors(JOB)
    assert (error["message"], error["extensions"]) == (
        "there is no job with the key 'a'",
        {"code": "NOT_FOUND", "field": "job"},
    )


async def test_a_fault_of_the_pool_shows_its_code_only_and_is_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(self: Jobs, key: str) -> None:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(Jobs, "by_key", fail)
    with caplog.at_level(logging.ERROR):
        for document in (JOB, 'mutation { archiveJob(input: {job: "a"}) { userErrors { message } } }'):
            answer = await api.answer(document)
            [error] = answer["errors"]
            assert error["extensions"] == {"code": "INTERNAL"}
            assert "1234" not in str(answer)
            assert "RuntimeError" not in str(answer)
    assert "the password is 1234" in caplog.text


async def test_a_store_that_is_away_is_said_to_be_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Jobs, key: str) -> None:
        raise StorageUnavailable("mongodb://user:password@host")

    monkeypatch.setattr(Jobs, "by_key", fail)
    [error] = await api.errors(JOB)
    assert (error["message"], error["extensions"]["code"]) == (
        "the pool's store does not answer; try again",
        "UNAVAILABLE",
    )


async def test_what_the_schema_does_not_take_is_bad_input_with_its_place(api: Api) -> None:
    submit = "mutation ($input: SubmitFlowInput!) { submitFlow(input: $input) { flow { key } } }"
    [error] = await api.errors(submit, input={"jobs": [{"job": "double"}, {"job": "double", "whilst": "x"}]})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "jobs[1]"}
    assert "Did you mean 'while'?" in error["message"]
    [error] = await api.errors("{ nothing }")
    assert error["extensions"] == {"code": "BAD_INPUT"}


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (
            '{jobs: [{job: 3}, {job: "a", policy: {quorum: "b"}}, {}]}',
            ["jobs[0].job", "jobs[1].policy.quorum", "jobs[2]"],
        ),
        ('{jobs: {job: "a", nope: 1}}', ["jobs.nope"]),
        ('{jobs: [{job: "a"}], dependent: [{jobs: [{job: true}]}]}', ["dependent[0].jobs[0].job"]),
    ],
)
async def test_an_inline_input_is_told_its_place_too(api: Api, given: str, fields: list[str]) -> None:
    errors = await api.errors(f"mutation {{ submitFlow(input: {given}) {{ flow {{ key }} }} }}")
    assert [error["extensions"]["field"] for error in errors] == fields


async def test_the_place_in_a_variable_is_told_from_where_it_is_used(api: Api) -> None:
    submit = "mutation ($these: [FlowJobInput!]!) { submitFlow(input: {jobs: $these}) { flow { key } } }"
    [error] = await api.errors(submit, these=[{"job": "a"}, {"job": 3}])
    assert error["extensions"]["field"] == "jobs[1].job"
    assert error["message"] == "String cannot represent a non string value: 3"
    [error] = await api.errors("query ($most: Int) { jobs(first: $most) { nodes { key } } }", most="many")
    assert error["extensions"]["field"] == "first"


async def test_callers_mistakes_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    for document in (JOB, "{ nothing }", "{", '{ node(id: "?") { id } }'):
        assert await api.errors(document)
    assert caplog.text == ""


async def test_a_global_id_leads_back_to_its_object(api: Api) -> None:
    job = (await api.done("createJob", "job { id }", name="double", executeFunction=DOUBLE))["job"]["id"]
    made = await api.done(
        "createVariables", "variables { id }", job="double", variables=[{"id": "a.b-c~1", "value": 1}]
    )
    host = (await api.done("claimTasks", "host tasks { id }"))["host"].split(".")[0]
    result = await api.done("createResult", "result { id host { id } }", job="double", variable="a.b-c~1", value=2)
    sent_by = result["result"]["host"]["id"]
    known = (await api(f'{{ host(key: "{host}") {{ id }} }}'))["host"]["id"]
    for found in (job, made["variables"][0]["id"], result["result"]["id"], sent_by, known):
        node = (await api("query ($id: ID!) { node(id: $id) { __typename id } }", id=found))["node"]
        assert node["id"] == found


async def test_global_ids_of_flows_and_tasks_lead_back_too(api: Api) -> None:
    await api.done("createJob", "job { id }", name="double", executeFunction=DOUBLE)
    key = (await api.done("submitFlow", "flow { key }", jobs=[{"job": "double"}]))["flow"]["key"]
    asked = "id root { id } nodes(first: 2) { nodes { id runs(first: 2) { nodes { id tasks { id } } } } }"
    flow = (await api(f'{{ flow(key: "{key}") {{ {asked} }} }}'))["flow"]
    [job] = flow["nodes"]["nodes"]
    [run] = job["runs"]["nodes"]
    for found in (flow["id"], flow["root"]["id"], job["id"], run["id"], run["tasks"][0]["id"]):
        node = (await api("query ($id: ID!) { node(id: $id) { __typename id } }", id=found))["node"]
        assert node["id"] == found


@pytest.mark.parametrize(
    "node",
    ["Sm9iOm5vdGhpbmc=", "VmFyaWFibGU6YS9i", "UmVzdWx0OnZhcjphOmI6MA==", "SG9zdDpub2JvZHk=", "Sm9iOg==", "VGFzazp4"],
)
async def test_an_id_of_nothing_is_null(api: Api, node: str) -> None:
    assert (await api("query ($id: ID!) { node(id: $id) { id } }", id=node))["node"] is None


@pytest.mark.parametrize("node", ["", "x", "é", "Sm9i", "TnVsbDp4"])
async def test_what_is_no_id_that_can_be_looked_up_is_bad_input(api: Api, node: str) -> None:
    [error] = await api.errors("query ($id: ID!) { node(id: $id) { id } }", id=node)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "id"}
