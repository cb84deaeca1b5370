"""The original documentation's example interaction, played through the facade and through GraphQL.

Each player starts with nothing but the pool's address, and every move answers what the client then knows, in words
that both have in common.
"""

from __future__ import annotations

from typing import Any, Protocol

import httpx

from tests.contract.graphql import execute
from tests.contract.scenario import links

Known = dict[str, Any]


class Player(Protocol):
    def __init__(self, client: httpx.AsyncClient) -> None: ...

    async def submit_job(self, job: dict[str, Any]) -> Known: ...

    async def add_variable(self, job: str, variable: dict[str, Any]) -> Known: ...

    async def scheduled_job(self) -> Known: ...

    async def scheduled_variable(self, job: str) -> Known: ...

    async def save(self, job: str, variable: str, value: Any) -> Known: ...

    async def results(self, job: str, variable: str) -> list[Known]: ...


class RestPlayer:
    """Follows links, in the vocabulary of the documentation."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._jobs: dict[str, str] = {}

    async def submit_job(self, job: dict[str, Any]) -> Known:
        made = await self._client.post("/jobs", json=job)
        assert made.status_code == 201, made.text
        return await self._job(made.headers["location"])

    async def add_variable(self, job: str, variable: dict[str, Any]) -> Known:
        found = links(await self._client.get(self._jobs[job]))["get_variables"]["href"]
        made = await self._client.post(found, json=variable["value"], params={"id": variable["id"]})
        assert made.status_code == 201, made.text
        return await self._variable(made.headers["location"])

    async def scheduled_job(self) -> Known:
        options = await self._client.options("/")
        assert (options.status_code, options.headers["access-control-allow-origin"]) == (200, "*")
        return await self._job((await self._client.get("/")).json()["job_scheduler_url"])

    async def scheduled_variable(self, job: str) -> Known:
        return await self._variable(links(await self._client.get(self._jobs[job]))["get_variables"]["href"])

    async def save(self, job: str, variable: str, value: Any) -> Known:
        found = links(await self._client.get(f"{self._jobs[job]}/variables/{variable}"))["post_result"]["href"]
        made = await self._client.post(found, json=value)
        assert made.status_code == 201, made.text
        return self._result((await self._client.get(made.headers["location"])).json())

    async def results(self, job: str, variable: str) -> list[Known]:
        shown = await self._client.get(f"{self._jobs[job]}/variables/{variable}/results")
        return [self._result(each) for each in shown.json()["_embedded"]["results"]]

    async def _job(self, url: str) -> Known:
        answer = await self._client.get(url)
        job = answer.json()
        self._jobs[job["key"]] = links(answer)["self"]["href"]
        names = ("key", "name", "owner", "state", "execute_function", "sha256", "metadata")
        return {name: job[name] for name in names}

    async def _variable(self, url: str) -> Known:
        answer = await self._client.get(url)
        shown = answer.json()
        assert {name: shown[name] for name in shown["variable"]} == shown["variable"]
        return {"id": shown["_id"], "for_jobs": shown["for_jobs"], "value": shown["variable"]}

    @staticmethod
    def _result(shown: dict[str, Any]) -> Known:
        names = ("from_job", "from_variable", "result", "context", "verdict", "reason", "error", "unsolicited")
        return {"id": shown["_id"], **{name: shown[name] for name in names}}


JOB = "key name owner state execute_function: executeBody sha256 metadata"
VARIABLE = "id: key for_jobs: forJobs value"
RESULT = "id: key from_job: jobKey from_variable: variableKey result: value context verdict reason error unsolicited"


class GraphQLPlayer:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def submit_job(self, job: dict[str, Any]) -> Known:
        given = {
            "name": job["name"],
            "executeFunction": job["execute_function"],
            "validateResult": job["validate_result"],
            "metadata": job["metadata"],
        }
        made: Known = await self._made("createJob", "CreateJobInput", f"job {{ {JOB} }}", "job", given)
        return made

    async def add_variable(self, job: str, variable: dict[str, Any]) -> Known:
        given = {"job": job, "variables": [variable]}
        selection = f"variables {{ {VARIABLE} }}"
        [made] = await self._made("createVariables", "CreateVariablesInput", selection, "variables", given)
        return dict(made)

    async def scheduled_job(self) -> Known:
        found: Known = (await execute(self._client, f"{{ scheduledJob {{ {JOB} }} }}"))["scheduledJob"]
        return found

    async def scheduled_variable(self, job: str) -> Known:
        query = f"query ($job: String!) {{ job(key: $job) {{ scheduledVariable {{ {VARIABLE} }} }} }}"
        found: Known = (await execute(self._client, query, job=job))["job"]["scheduledVariable"]
        return found

    async def save(self, job: str, variable: str, value: Any) -> Known:
        given = {"job": job, "variable": variable, "value": value}
        made: Known = await self._made("createResult", "CreateResultInput", f"result {{ {RESULT} }}", "result", given)
        return made

    async def results(self, job: str, variable: str) -> list[Known]:
        query = f"""query ($job: String!, $id: String!) {{
          job(key: $job) {{ variable(id: $id) {{ results {{ nodes {{ {RESULT} }} }} }} }}
        }}"""
        found = await execute(self._client, query, job=job, id=variable)
        nodes: list[Known] = found["job"]["variable"]["results"]["nodes"]
        return nodes

    async def _made(self, mutation: str, kind: str, selection: str, field: str, given: dict[str, Any]) -> Any:
        document = f"""mutation ($input: {kind}!) {{
          {mutation}(input: $input) {{ {selection} userErrors {{ field message }} }}
        }}"""
        payload = (await execute(self._client, document, input=given))[mutation]
        assert payload["userErrors"] == []
        return payload[field]
