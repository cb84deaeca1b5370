"""Requests of every kind that costs a server more than it costs who sends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx

KEY = "work"
NUMBERS = count()
RESULTS = f"/jobs/{KEY}/variables/1/results"
VARIABLES = f"/jobs/{KEY}/variables"
ADD = 'mutation($v: [VariableInput!]!) { createVariables(input: {job: "work", variables: $v}) { userErrors { code } } }'
SUBMIT = """mutation($jobs: [FlowJobInput!]!, $key: String) {
  submitFlow(input: {jobs: $jobs, idempotencyKey: $key}) { userErrors { code message } } }"""
LARGE_ANSWER = '{ job(key: "work") { variables(first: 20) { nodes { value } } } }'

Send = Callable[[httpx.Client], httpx.Response]


def post(path: str, body: str) -> Send:
    return lambda client: client.post(path, content=body, headers={"content-type": "application/json"})


def query(text: str, **variables: Any) -> Send:
    """A query that no server has seen before."""

    def send(client: httpx.Client) -> httpx.Response:
        named = f"query Q{next(NUMBERS)} {text}" if text.startswith("{") else text
        return client.post("/graphql", json={"query": named, "variables": variables})

    return send


def values(*texts: str) -> Send:
    """Variables of these JSON texts."""
    listed = ",".join(f'{{"value":{text}}}' for text in texts)
    return post("/graphql", f'{{"query":{json.dumps(ADD)},"variables":{{"v":[{listed}]}}}}')


def array(item: str, times: int) -> str:
    return f"[{','.join([item] * times)}]"


def members(number: int) -> str:
    return json.dumps({f"k{at}": [at] for at in range(number)})


def many(text: str, times: int) -> str:
    """The text over and over, with its number in place of `#`."""
    return " ".join(text.replace("#", str(at)) for at in range(times))


SORTED_BY_UTF_16 = json.dumps({f"\U00010000{at}\ue000": at for at in range(40_000)})
ESCAPES = '"' + "\\ud800\\n" * 100_000 + '"'
LINES = "a\n " * 60_000
SPREAD_IN_TURN = "{ pool { ...F0 } } fragment F40 on Pool { name } " + " ".join(
    f"fragment F{at} on Pool {{ ...F{at + 1} ...F{at + 1} }}" for at in range(40)
)

FOUND: dict[str, Send] = {
    "985 KB of nested arrays as a result": post(RESULTS, array("[]", 328_000)),
    "1 MB of ints as a result": post(RESULTS, array("123456", 140_000)),
    "2 MB of variables": query(ADD, v=[{"value": at} for at in range(100_000)]),
    "480 times the same field": query("{" + " flows{edges{cursor}}" * 480 + "}"),
}
"""What was found (F1 of the design)."""

MORE: dict[str, Send] = {
    "many keys": post(RESULTS, members(60_000)),
    "numbers to be written in another way": post(RESULTS, array("1.0", 200_000)),
    "huge numbers": post(RESULTS, array("9" * 300, 3_000)),
    "keys to be sorted in another way": post(RESULTS, SORTED_BY_UTF_16),
    "a string of escapes": post(VARIABLES, ESCAPES),
    "arrays as deep as may be": post(VARIABLES, array("[" * 99 + "]" * 99, 4_900)),
    "a body of nothing but arrays": values(array("[]", 10_000_000)),
    "many large variables": values(*['"' + "x" * 990_000 + '"'] * 15),
    "10,000 variables": query(ADD, v=[{"value": {"x": at}, "id": f"v{at}"} for at in range(10_000)]),
    "a flow of 10,000 jobs": query(SUBMIT, jobs=[{"job": KEY, "as": f"j{at}"} for at in range(10_000)], key="flow"),
    "the most aliases": query("{" + many("a#: jobs { nodes { key metadata } }", 30) + "}"),
    "fragments that are spread in turn": query(SPREAD_IN_TURN),
    "many fragments": query("{ pool {" + many("...F#", 250) + "} }" + many("fragment F# on Pool { name }", 250)),
    "a directive, over and over": query("{ pool { name " + "@include(if: true) " * 500 + "} }"),
    "a long comment": query("{ pool { name } } #" + "x" * 3_000_000),
    "a long string": query('{ job(key: """' + LINES + '""") { key } }'),
    "names that are not there": query("{ pool { " + many("nam#", 1_900) + "} }"),
    "many operations": query(many("query Q# { pool { name } }", 400)),
    "a long list of variables": query("query (" + many("$v#: JSON", 900) + ") { pool { name } }"),
    "a large answer": query(LARGE_ANSWER),
    "the schema": query("{ __schema { types { name fields { name description args { name type { name } } } } } }"),
    "a large list": lambda client: client.get("/jobs?per_page=100"),
    "a large list of large values": lambda client: client.get(f"{VARIABLES}?per_page=100"),
}
"""More of the kind."""
