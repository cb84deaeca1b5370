"""Jobs to compute, and what became of them."""

from collections.abc import Sequence
from typing import Any

from comp_pool import PoolClient

SQUARE = "(variable, context) => { context.result = variable * variable; context.seen = true; return context; }"
ENDLESS = "() => { for (;;); }"

CREATE_JOB = """mutation($input: CreateJobInput!) { createJob(input: $input) {
  job { key } userErrors { field message code } } }"""
CREATE_VARIABLES = """mutation($input: CreateVariablesInput!) { createVariables(input: $input) {
  userErrors { field message code } } }"""
VARIABLES = """query($key: String!) { job(key: $key) { variables(first: 100) { nodes {
  key value state canonicalResult { value context } results(first: 10) { nodes { verdict error } } } } } }"""
TASKS = "{ pool { status { tasks { ready leased reported } } } }"


async def add_job(client: PoolClient, source: str, values: Sequence[Any], *, name: str = "Work", **job: Any) -> str:
    """The key of a new job with these variables."""
    made = await client.mutate(CREATE_JOB, name=name, executeFunction=source, **job)
    key: str = made["job"]["key"]
    await client.mutate(CREATE_VARIABLES, job=key, variables=[{"value": value} for value in values])
    return key


async def variables_of(client: PoolClient, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call(VARIABLES, key=job))["job"]["variables"]["nodes"]
    return found
