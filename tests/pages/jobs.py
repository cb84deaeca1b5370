"""Jobs for the pages to show and to compute."""

from collections.abc import Sequence
from typing import Any

from tests.processes import RunningServer

CREATE_JOB = """mutation($input: CreateJobInput!) { createJob(input: $input) {
  job { key sha256 } userErrors { message } } }"""
CREATE_VARIABLES = """mutation($input: CreateVariablesInput!) { createVariables(input: $input) {
  userErrors { message } } }"""
RESULTS = """query($key: String!) { job(key: $key) { variables(first: 100) { nodes {
  value state canonicalResult { value context } results(first: 20) { nodes { verdict error host { key } } } } } } }"""

SQUARE = "(variable, context) => ({...context, result: variable * variable})"
ENDLESS = "() => { for (;;); }"
SLOW = """let steps = 0;
for (const end = Date.now() + variable; Date.now() < end;) steps++;
return {...context, result: variable};"""


def add_job(server: RunningServer, name: str, source: str, values: Sequence[Any] = (), **job: Any) -> str:
    """The key of a new job with these variables."""
    made = server.ask(CREATE_JOB, input={"name": name, "executeFunction": source, **job})["createJob"]
    assert not made["userErrors"], made
    key: str = made["job"]["key"]
    if values:
        variables = [{"value": value} for value in values]
        added = server.ask(CREATE_VARIABLES, input={"job": key, "variables": variables})["createVariables"]
        assert not added["userErrors"], added
    return key


def variables_of(server: RunningServer, job: str) -> list[dict[str, Any]]:
    """A job's variables with their results."""
    found: list[dict[str, Any]] = server.ask(RESULTS, key=job)["job"]["variables"]["nodes"]
    return found


def reported(server: RunningServer, job: str) -> int:
    """How many results there are for a job."""
    return sum(len(variable["results"]["nodes"]) for variable in variables_of(server, job))
