"""What the tests of the contract have in common: a job, how its variables are made, and what there is in answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.contract.graphql import execute

EXECUTE = "function (variable, context) { context.result = {sum: variable.data_field_one.foo + 1}; return context; }"
INPUT = {"data_field_one": {"foo": 1}}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Job:
    """A job on the running pool: `H` is the pool's public root, `J` the job's URL, as the contract calls them."""

    client: httpx.AsyncClient
    key: str

    @property
    def root(self) -> str:
        return str(self.client.base_url).rstrip("/")

    @property
    def url(self) -> str:
        return f"{self.root}/jobs/{self.key}"

    async def variable(self, value: Any, **parameters: str) -> str:
        """The URL of a new variable."""
        made = await self.client.post(f"{self.url}/variables", json=value, params=parameters)
        assert made.status_code == 201, made.text
        return made.headers["location"]


def links(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["_links"]
    return found


async def every_url(job: Job) -> list[str]:
    """A URL of each path that the pool's description has, with the methods that it names."""
    location = (await job.client.post(f"{job.url}/variables/test_limit_case/results", json=1)).headers["location"]
    told = {
        "job_key": job.key,
        "variable_id": "test_limit_case",
        "result_id": location.rpartition("/")[2],
        "scheduler": "random",
        "flow_key": "0" * 32,
        "host": "nobody",
    }
    paths = (await job.client.get("/openapi.json")).json()["paths"]
    return [job.root + path.format_map(told) for path in paths]


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object in a JSON value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) else []), *(found for each in inner for found in objects(each))]


async def create_variables(job: Job, count: int) -> set[str]:
    values = [{"value": {"n": n}, "id": f"v{n}"} for n in range(count)]
    mutation = "mutation ($input: CreateVariablesInput!) { createVariables(input: $input) { userErrors { message } } }"
    made = await execute(job.client, mutation, input={"job": job.key, "variables": values})
    assert made["createVariables"]["userErrors"] == []
    return {f"{job.url}/variables/v{n}" for n in range(count)}
