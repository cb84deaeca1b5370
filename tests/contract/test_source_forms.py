"""`execute_function` as the facade serves it does in Node.js what its owner wrote, in whatever form that is."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import lacking

SCRIPT = Path(__file__).parent / "source_forms.mjs"

FORMS = {
    "body": "{statements}",
    "function expression": "function (variable, context) {{ {statements} }}",
    "named function": "function execute_function(variable, context) {{ {statements} }};",
    "arrow function": "(variable, context) => {{ {statements} }}",
    "async arrow function": "async (variable, context) => {{ {statements} }}",
    "function in parentheses": "(function (variable, context) {{ {statements} }})",
    "method": "execute(variable, context) {{ {statements} }}",
    "async method": "async execute(variable, context) {{ {statements} }}",
    "default export": "export default function (variable, context) {{ {statements} }}",
    "exported arrow function": "export default (variable, context) => {{ {statements} }};",
    "returned function": "return function (variable, context) {{ {statements} }}",
    "expression that makes a function": "(() => (variable, context) => {{ {statements} }})()",
}
GAPS = ["", "\n", " // a; b }}\n", "/* ; */ ", "\n/**/\n"]

statements = st.sampled_from(
    [
        "context.result = variable; return context;",
        "return {{ ...context, result: [variable, typeof context] }};",
        "var sum = 0; for (const n of [1, 2, 3]) sum += n; context.result = sum; return context;",
        "if (variable) {{ context.result = 'yes'; return context; }} context.result = 'no'; return context;",
        "const text = `}}${{variable}})`; context.result = text.replace(/[/;]}}/, '//'); return context;",
        "throw new RangeError('out of ' + typeof variable);",
        "context.result = arguments.length; return context;",
        "const double = (n) => n * 2; context.result = double(context.n); return context;",
    ]
).map(lambda text: text.replace("{{", "{").replace("}}", "}"))
values = st.sampled_from([None, 0, 5, "text", [1, "a"], {"a": {"b": None}}])

_numbers = count()


def in_node(calls: list[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """What Node.js makes of calls of bodies, in order."""
    if not shutil.which("node"):
        lacking("Node.js")
    done = subprocess.run(["node", str(SCRIPT)], input=json.dumps(calls), capture_output=True, text=True, check=True)
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    return outcomes


@pytest_asyncio.fixture
async def served(client: httpx.AsyncClient) -> Any:
    """Posts a source as a job, and gets the body that the facade serves of it."""

    async def serve(source: str) -> str:
        made = await client.post("/jobs", json={"name": f"Form {next(_numbers)}", "execute_function": source})
        assert made.status_code == 201, (source, made.text)
        return str((await client.get(made.headers["location"])).json()["execute_function"])

    return serve


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=statements, value=values, before=st.sampled_from(GAPS), after=st.sampled_from(GAPS))
async def test_line_04_every_source_form_becomes_a_body_that_does_the_same(
    served: Any, written: str, value: Any, before: str, after: str
) -> None:
    context = {"n": 21}
    forms = {
        form: written
        for form in FORMS
        if "arguments" not in written or ("arrow" not in form and "makes" not in form)  # these have no `arguments`
    }
    bodies = [await served(before + FORMS[form].format(statements=text) + after) for form, text in forms.items()]
    [expected, *outcomes] = in_node([(written, value, context), *((body, value, context) for body in bodies)])
    for form, outcome in zip(forms, outcomes, strict=True):
        assert outcome == expected, form


async def test_line_04_a_body_is_served_as_it_was_written(served: Any) -> None:
    body = "// mine\nvar a = variable;\ncontext.result = a; return context; // done"
    assert await served(body) == body


@pytest.mark.parametrize("source", ["function (variable {", "=> 1", "return }", "class {", "async execute( {"])
async def test_line_04_what_has_no_form_is_refused(client: httpx.AsyncClient, source: str) -> None:
    answer = await client.post("/jobs", json={"name": "Formless", "execute_function": source})
    assert (answer.status_code, answer.json()["code"]) == (422, "UNPARSABLE_JAVASCRIPT")
