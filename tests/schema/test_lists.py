"""Connections: pages, cursors, and what a page costs the store."""

from typing import Any

import pytest

from tests.resolvers.playing import DOUBLE
from tests.schema.api import Api

JOBS = """query ($first: Int!, $after: String) { jobs(first: $first, after: $after) {
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key } } } }"""
VARIABLES = """query ($first: Int!, $after: String, $state: VariableState) { job(key: "job-0") {
  variables(first: $first, after: $after, state: $state) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key } } } } }"""
OPEN = (
    VARIABLES.replace(", $state: VariableState", "")
    .replace(", state: $state", "")
    .replace("variables(", "variables: openVariables(")
)
RESULTS = """query ($first: Int!, $after: String) { job(key: "job-0") { variable(id: "v0") {
  results(first: $first, after: $after) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key } } } } } }"""
HOSTS = """query ($first: Int!, $after: String) { hosts(first: $first, after: $after) {
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key } } } }"""
LISTS = {"jobs": JOBS, "variables": VARIABLES, "openVariables": OPEN, "results": RESULTS, "hosts": HOSTS}
NUMBER = 7


async def _fill(api: Api) -> None:
    for number in range(NUMBER):
        await api.done("createJob", "job { key }", name=f"job {number}", executeFunction=DOUBLE)
    given = [{"id": f"v{number}", "value": number} for number in range(NUMBER)]
    await api.done("createVariables", "variables { key }", job="job-0", variables=given)
    for _ in range(NUMBER):
        await api.done("claimTasks", "host", jobs=["nothing"])
        await api.runtime.store.variables.set("var:job-0:v0", {"finished_at": 0, "state": "open"})
        await api.done("createResult", "result { key }", job="job-0", variable="v0", value=1)
    await api.runtime.store.variables.set("var:job-0:v0", {"finished_at": 0, "state": "open"})


def _connection(data: dict[str, Any]) -> dict[str, Any]:
    while "edges" not in data:
        [data] = data.values()
    return data


@pytest.mark.parametrize("name", LISTS)
async def test_pages_of_any_size_go_through_a_list_once(api: Api, name: str) -> None:
    await _fill(api)
    for size in (1, 3, NUMBER, NUMBER + 1, 100):
        seen: list[str] = []
        after = None
        while True:
            page = _connection(await api(LISTS[name], first=size, after=after))
            info, edges = page["pageInfo"], page["edges"]
            seen += [edge["node"]["key"] for edge in edges]
            assert len(edges) <= size
            assert info["hasPreviousPage"] == (after is not None)
            assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
            after = info["endCursor"]
            if not info["hasNextPage"]:
                break
        assert len(set(seen)) == len(seen) >= NUMBER


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_has_one_to_a_hundred_members(api: Api, name: str, first: int) -> None:
    await _fill(api)
    [error] = await api.errors(LISTS[name], first=first)
    assert error["message"] == f"first takes a whole number from 1 to 100, got {first}"
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "first"}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("after", ["x", "\0", "0.5/nan", "é" * 32, "ffffffff-ffff-ffff-ffff-ffffffffffff"])
async def test_a_cursor_of_another_list_is_bad_input(api: Api, name: str, after: str) -> None:
    await _fill(api)
    [error] = await api.errors(LISTS[name], first=1, after=after)
    assert "is no cursor of this list" in error["message"]
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "after"}


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_takes_at_most_one_query_a_level_however_long_it_is(api: Api, name: str) -> None:
    await _fill(api)
    with api.runtime.store.database.count() as cost:
        await api(LISTS[name], first=100)
    levels = LISTS[name].count("first: $first") + LISTS[name].count("job(") + LISTS[name].count("variable(")
    # A random order is read in two stretches.
    assert cost.total() <= levels + (name == "openVariables"), cost


async def test_variables_are_listed_by_state(api: Api) -> None:
    await _fill(api)
    await api.done("createResult", "result { key }", job="job-0", variable="v3", value=1)
    done = _connection(await api(VARIABLES, first=9, state="DONE"))
    assert [edge["node"]["key"] for edge in done["edges"]] == ["v3"]
    open_ones = _connection(await api(VARIABLES, first=9, state="OPEN"))
    assert len(open_ones["edges"]) == NUMBER - 1
