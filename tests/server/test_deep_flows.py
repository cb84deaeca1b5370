"""How deep a flow may be, however it is submitted."""

from typing import Any

import httpx
import pytest

from comp_pool import PoolClient
from resolvers.flows.structure import MOST_DEPTH
from tests.volunteer.work import SQUARE, add_job

SUBMIT = """mutation($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { levelCount } userErrors { field message code } } }"""


def chain(below: int) -> dict[str, Any]:
    """A flow with so many levels below its root."""
    level: dict[str, Any] = {"jobs": [{"job": "work"}]}
    for _ in range(below):
        level = {"jobs": [{"job": "work"}], "dependent": level}
    return level


@pytest.mark.parametrize("below", [MOST_DEPTH, MOST_DEPTH + 1])
async def test_the_path_of_a_level_that_is_too_deep_is_told(
    client: PoolClient, pool_transport: httpx.ASGITransport, below: int
) -> None:
    await add_job(client, SQUARE, [1])
    async with httpx.AsyncClient(transport=pool_transport, base_url="http://pool.example") as rest:
        posted = await rest.post("/flows", json=chain(below))
    payload = (await client.call(SUBMIT, input=chain(below)))["submitFlow"]
    if below <= MOST_DEPTH:
        assert posted.status_code == 201
        assert payload == {"flow": {"levelCount": below + 1}, "userErrors": []}
        return
    assert posted.status_code == 422
    [error] = payload["userErrors"]
    assert error["code"] == posted.json()["code"] == "BAD_INPUT"
    assert error["message"] == posted.json()["message"] == "a flow may have at most 200 levels below its root"
    assert error["field"] == posted.json()["field"] == ".".join(["dependent[0]"] * (MOST_DEPTH + 1))


async def test_json_that_is_too_deep_to_be_read_is_refused_and_no_fault(pool_transport: httpx.ASGITransport) -> None:
    async with httpx.AsyncClient(transport=pool_transport, base_url="http://pool.example") as rest:
        posted = await rest.post("/flows", json=chain(1_200))
        asked = await rest.post("/graphql", json={"query": SUBMIT, "variables": {"input": chain(1_200)}})
    assert (posted.status_code, asked.status_code) == (400, 400)
