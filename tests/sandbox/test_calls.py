"""What calls of owners' functions give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import FailureKind, Function, Returned, Sandbox, Threw, Wanted
from tests import calls

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARAMETERS = ("variable", "context")


@pytest.mark.parametrize("name", calls.CASES)
async def test_the_sandbox_returns_what_the_table_says(sandbox: Sandbox, name: str) -> None:
    case = calls.CASES[name]
    texts = [json.dumps(case.get("variable")), json.dumps(case.get("context", {}))]
    [outcome] = await sandbox.run(Function(case["source"], PARAMETERS, Wanted.JOB), [texts], owner=name)
    given: dict[str, Any] = json.loads(outcome.json) if isinstance(outcome, Returned) else {"error": outcome.message}
    calls.assert_all_hold({name: given}, {name: case})


@pytest.mark.parametrize(
    ("returned", "truth"),
    [
        ("0", "false"),
        ("-0", "false"),
        ("NaN", "false"),
        ("0n", "false"),
        ("''", "false"),
        ("null", "false"),
        ("1n", "true"),
        ("Infinity", "true"),
        ("'false'", "true"),
        ("[]", "true"),
        ("new Map()", "true"),
        ("new Boolean(false)", "true"),
        ("[undefined]", "true"),
        ("Promise.resolve(0)", "false"),
    ],
)
async def test_a_condition_holds_as_javascript_has_it(sandbox: Sandbox, returned: str, truth: str) -> None:
    function = Function(f"() => ({returned})", (), Wanted.TRUTH)
    assert await sandbox.run(function, [[]], owner="conditions") == [Returned(truth)]


@pytest.mark.parametrize(
    ("source", "threw"),
    [
        ("() => {}", Threw("returned undefined", FailureKind.UNDEFINED)),
        (
            "() => Symbol()",
            Threw("it returned a symbol, which is neither true nor false", FailureKind.NOT_JSON),
        ),
        (
            "async () => () => true",
            Threw("it returned a function, which is neither true nor false", FailureKind.NOT_JSON),
        ),
        ("() => { throw ''; }", Threw("Error: (no message)", FailureKind.ERROR)),
    ],
)
async def test_a_condition_that_is_none_is_an_error(sandbox: Sandbox, source: str, threw: Threw) -> None:
    assert await sandbox.run(Function(source, (), Wanted.TRUTH), [[]], owner="conditions") == [threw]
