"""What dashboards read of flows."""

from enum import Enum, StrEnum
from typing import Any

import pytest

from schema.types import enums, flow_states
from storage import flow_nodes, flows, results, tasks, units
from tests.resolvers.playing import DOUBLE
from tests.schema.api import Api

STATES: list[tuple[type[StrEnum], type[Enum]]] = [
    (tasks.TaskState, enums.TaskState),
    (results.Verdict, enums.Verdict),
    (units.UnitState, enums.VariableState),
    (units.UnitState, flow_states.FlowRunState),
    (flows.FlowState, flow_states.FlowState),
    (flow_nodes.NodeState, flow_states.FlowNodeState),
]
RUNS = """query ($key: String!) { flow(key: $key) { job(number: 0) { runs { nodes {
  iteration generation state tasks { state } } } } } }"""
BELOW = """query ($key: String!, $after: String) { flow(key: $key) { root {
  dependent(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes { number } } } } }"""


async def submit(api: Api, **said: Any) -> dict[str, Any]:
    await api.done("createJob", "job { id }", name="double", executeFunction=DOUBLE)
    flow: dict[str, Any] = (await api.done("submitFlow", "flow { id key }", jobs=[{"job": "double"}], **said))["flow"]
    return flow


async def runs(api: Api, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api(RUNS, key=key))["flow"]["job"]["runs"]["nodes"]
    return found


@pytest.mark.parametrize("said", [{}, {"onFailure": None}, {"onFailure": "FAIL"}])
async def test_without_a_word_about_failures_one_of_a_job_is_one_of_the_flow(api: Api, said: dict[str, Any]) -> None:
    key = (await submit(api, **said))["key"]
    assert (await api(f'{{ flow(key: "{key}") {{ onFailure }} }}'))["flow"] == {"onFailure": "FAIL"}


@pytest.mark.parametrize(("stored", "told"), STATES)
def test_whatever_state_is_stored_can_be_told(stored: type[StrEnum], told: type[Enum]) -> None:
    seen = {state.value for state in stored} - {units.UnitState.DELETED.value}
    assert seen == {state.value for state in told}


async def test_the_tasks_of_a_paused_flow_are_held(api: Api) -> None:
    flow = await submit(api)
    await api.done("pauseFlow", "flow { state }", flow=flow["key"])
    assert [each["tasks"] for each in await runs(api, flow["key"])] == [[{"state": "HELD"}]]
    status = (await api("{ pool { status { tasks { ready held } } } }"))["pool"]["status"]
    assert status["tasks"] == {"ready": 0, "held": 1}


async def test_a_flow_is_steered_by_key_or_global_id_and_its_runs_say_which_try_they_belong_to(api: Api) -> None:
    flow = await submit(api)
    for name in ("id", "key"):
        await api.done("cancelFlow", "flow { state }", flow=flow[name])
        await api.done("retryFlow", "flow { state }", flow=flow[name])
    assert [(each["iteration"], each["generation"], each["state"]) for each in await runs(api, flow["key"])] == [
        (0, 0, "CANCELLED"),
        (0, 1, "CANCELLED"),
        (0, 2, "OPEN"),
    ]


async def test_the_levels_below_one_come_in_pages(api: Api) -> None:
    flow = await submit(api, dependent=[{"jobs": [{"job": "double"}]}] * 5)
    numbers: list[list[int]] = []
    page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        found = await api(BELOW, key=flow["key"], after=page["pageInfo"]["endCursor"])
        page = found["flow"]["root"]["dependent"]
        numbers.append([each["number"] for each in page["nodes"]])
    assert numbers == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize("field", ["tree", "criticalPath { seconds }"])
async def test_what_looks_at_whole_flows_is_not_to_be_had_of_many_at_once(api: Api, field: str) -> None:
    [refused] = await api.errors(f"{{ flows(first: 100) {{ nodes {{ {field} }} }} }}")
    assert refused["extensions"]["code"] == "TOO_LARGE"
    assert (await api(f"{{ flows(first: 5) {{ nodes {{ {field} }} }} }}"))["flows"]["nodes"] == []
