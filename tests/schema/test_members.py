"""Mutations over many members answer each of them: one that is wrong leaves the others alone."""

from __future__ import annotations

from typing import Any

import pytest

from schema.machinery.nodes import global_id
from tests.resolvers.playing import DOUBLE
from tests.schema.api import USER_ERRORS, Api

DEEP = "[" * 101 + "]" * 101
NO_TASK = {"task": "?", "lease": "token"}


async def _held(api: Api, count: int) -> tuple[str, list[dict[str, str]]]:
    """A host's token, and tasks that it holds."""
    await api.done("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    await api.done("createVariables", "__typename", job="double", variables=[{"value": 1}] * count)
    claimed = await api.done("claimTasks", "host tasks { id lease { token } }", first=count)
    return claimed["host"], [{"task": task["id"], "lease": task["lease"]["token"]} for task in claimed["tasks"]]


DEEP_VALUE: Any = []
for _ in range(100):
    DEEP_VALUE = [DEEP_VALUE]

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "neither": ({}, "", "takes either a value (null is one) or an error, got neither"),
    "a context alone": ({"context": {}}, "", "got neither"),
    "both": ({"value": 1, "error": "no"}, "", "got both"),
    "null and an error": ({"value": None, "error": ""}, "", "got both"),
    "too deep": ({"value": DEEP_VALUE}, ".value", "at most 100 levels of arrays and objects, got 101"),
    "too large": ({"value": "x" * 1_000_000}, ".value", "at most 1,000,000 bytes of JSON, got 1,000,002"),
    "a large context": ({"value": 1, "context": {"x": "x" * 1_000_000}}, ".context", "at most 1,000,000 bytes"),
    "too long": ({"value": 1, "elapsedMilliseconds": 2_592_000_001}, ".elapsedMilliseconds", "2,592,000,000 (30 days)"),
    "far too long": ({"value": 1, "elapsedMilliseconds": 1e300}, ".elapsedMilliseconds", "2,592,000,000 (30 days)"),
    "no id": ({"value": 1, **NO_TASK}, ".task", "is no task of this pool"),
    "another thing's id": ({"value": 1, "task": global_id("Job", "double")}, ".task", "is no task of this pool"),
    "no token": ({"value": 1, "lease": "no token"}, ".lease", "is no lease's token"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_one_wrong_result_leaves_the_others_alone(api: Api, case: str) -> None:
    wrong, where, message = WRONG[case]
    host, held = await _held(api, 3)
    results = [{**held[0], "value": 2}, {**held[1], **wrong}, {**held[2], "value": None}]
    sent = await api.mutate("submitResults", "results { value verdict }", host=host, results=results)
    assert sent["results"] == [
        {"value": 2, "verdict": "CANONICAL"},
        None,
        {"value": None, "verdict": "CANONICAL"},
    ]
    [error] = sent["userErrors"]
    assert error["field"] == f"results[1]{where}"
    assert message in error["message"]
    assert error["code"] in ("BAD_INPUT", "TOO_LARGE", "LEASE_LOST")


async def test_a_value_too_deep_is_answered_in_its_place_as_a_literal_too(api: Api) -> None:
    host, held = await _held(api, 2)
    [bad, good] = held
    literal = (
        f'{{task: "{bad["task"]}", lease: "{bad["lease"]}", value: {DEEP}}}, '
        f'{{task: "{good["task"]}", lease: "{good["lease"]}", value: 2}}'
    )
    payload = (
        await api(
            f'mutation {{ submitResults(input: {{host: "{host}", results: [{literal}]}}) '
            f"{{ results {{ value }} {USER_ERRORS} }} }}"
        )
    )["submitResults"]
    assert payload["results"] == [None, {"value": 2}]
    assert [(each["field"], each["code"]) for each in payload["userErrors"]] == [("results[0].value", "TOO_LARGE")]


async def test_thirty_days_are_taken_and_come_back(api: Api) -> None:
    host, [held] = await _held(api, 1)
    given = {**held, "value": 2, "elapsedMilliseconds": 2_592_000_000}
    sent = await api.done("submitResults", "results { elapsedMilliseconds }", host=host, results=[given])
    assert sent["results"] == [{"elapsedMilliseconds": 2_592_000_000}]


async def test_an_error_with_an_empty_text_is_an_error(api: Api) -> None:
    host, [held] = await _held(api, 1)
    sent = await api.done("submitResults", "results { verdict error }", host=host, results=[{**held, "error": ""}])
    assert sent["results"] == [{"verdict": "INVALID", "error": "Error: (no message)"}]


async def test_leases_are_extended_and_given_back_one_by_one(api: Api) -> None:
    _, held = await _held(api, 1)
    tasks = [NO_TASK, *held, {**held[0], "lease": "no token"}]
    extended = await api.mutate("extendLease", "leases { token }", tasks=tasks)
    assert extended["leases"] == [None, {"token": held[0]["lease"]}, None]
    released = await api.mutate("releaseTasks", "released", tasks=tasks)
    assert released["released"] == 1
    for answer in (extended, released):
        errors = [(each["field"], each["code"]) for each in answer["userErrors"]]
        assert errors == [("tasks[0].task", "LEASE_LOST"), ("tasks[2].lease", "LEASE_LOST")]
