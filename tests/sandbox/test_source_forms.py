"""However an owner writes a function, the sandbox and a client that compiles its body do the same."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import Function, Returned, Sandbox, SourceKind, Threw, Unparsable

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARAMETERS = ("variable", "context")

FORMS = {
    SourceKind.EXPRESSION: [
        "function (variable, context) { return [variable, context] }",
        "function execute_function(variable, context) { return [variable, context] };",
        "function execute_function(v, c) {\n  // why\n  return [v, c]\n}",
        "(variable, context) => [variable, context]",
        "(v, c) => { return [v, c] };  // done",
        "async (v, c) => [v, c]",
        "async function (v, c) { return [v, await c] };;\n/* a; b */ // c;",
        "/* license; */ (function (v, c) { 'use strict'; return [v, c] })",
        "(() => { const f = (v, c) => [v, c]; return f })()",
        "export default function (v, c) { return [v, c] }",
        "// module\nexport default (v, c) => [v, c];",
        "export default async function execute(v, c) { return [v, c] }",
        "return function (v, c) { return [v, c] }",
        "return (v, c) => [v, c];",
        "[variable, context]",
        "(function () { return [arguments[0], arguments[1]] }) // all of them",
        "(v, c) => [v, c, /;//2].slice(0, 2);",
        "(f => f)(function (v, c) { return [v, c] })",
    ],
    SourceKind.METHOD: [
        "execute(variable, context) { return [variable, context] }",
        "async execute(v, c) { return [v, c] };",
        "/* the job */ execute(v, c)\n{ return [v, c] } // end",
        "$é(v, c) { return [v, c] }",
    ],
    SourceKind.BODY: [
        "return [variable, context]",
        "return [variable, context]; // done;",
        '"use strict"; return [variable, context];',
        "var result = [];\nresult.push(variable, context);\nreturn result;",
        "function helper(x) { return x }\nreturn [helper(variable), context]",
        "if (variable)\n{ return [variable, context] }",
        "return (function () { return [variable, context] })()",
        "// only this\nreturn [variable, context]\n// ;",
        "const f = variable => variable; return [f(variable), context]",
    ],
}


@pytest.mark.parametrize(("kind", "source"), [(kind, text) for kind, texts in FORMS.items() for text in texts])
async def test_every_form_is_called_with_the_arguments(sandbox: Sandbox, kind: SourceKind, source: str) -> None:
    form = await sandbox.inspect(source, PARAMETERS)
    assert form.kind == kind
    if kind == SourceKind.BODY:
        assert form.body == source
    for text in (source, form.body, as_a_client_would(form.body)):
        [outcome] = await sandbox.run(Function(text, PARAMETERS), [["5", '{"a":1}']], owner="forms")
        assert outcome == Returned('[5,{"a":1}]'), text


def as_a_client_would(body: str) -> str:
    """A source in which `body` is compiled as the first clients of the pool do it."""
    return f"return new Function('variable', 'context', {json.dumps(body)})(variable, context)"


GAPS = st.sampled_from(["", " ", "\n", "// a; b\n", "/* c */", "/* ; */\n", "/**/ /**/", "// }) ({\n"])
VALUES = st.sampled_from(
    [
        "variable",
        "context.n + variable",
        "[variable, `}${context.n})`, /[/;]\\//.source]",
        "({ a: variable, 'b;': context })",
        "(() => { throw new TypeError('no') })()",
        "missing",
        "undefined",
        "typeof this",
        "'//' + \"/*\"",
        "{}",
        "x => x",
        "1) || (2",
        "await variable",
        "variable }",
    ]
)
SHAPES = st.sampled_from(
    [
        "function (variable, context) {GAP return VALUE GAP}",
        "function named(variable, context) { return VALUE\n}",
        "async function (variable, context) { return VALUE\n}",
        "(variable, context) =>GAP VALUE",
        "async (variable, context) => { return VALUE }",
        "execute(variable, context) { return VALUE\n}",
        "export default (variable, context) => { return VALUE }",
        "export default VALUE",
        "return VALUE",
        "return function (variable, context) { return VALUE\n}",
        "const value = VALUE;GAP return value",
        "VALUE",
        "(function () { return (variable, context) => (VALUE\n) })()",
        "class Job { static execute(variable) { return VALUE } }",
    ]
)


@given(
    st.builds(
        lambda before, shape, value, gap, after: before + shape.replace("VALUE", value).replace("GAP", gap) + after,
        GAPS,
        SHAPES,
        VALUES,
        GAPS,
        st.sampled_from(["", ";", " ; // end", "\n;\n/* ; */", "// end"]),
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_body_does_what_the_source_does(sandbox: Sandbox, source: str) -> None:
    calls = [["5", '{"n":2}'], ["null", "{}"]]
    direct = await sandbox.run(Function(source, PARAMETERS), calls, owner="property")
    try:
        form = await sandbox.inspect(source, PARAMETERS)
    except Unparsable:
        assert {outcome.kind for outcome in direct if isinstance(outcome, Threw)} == {"syntax"}
        return
    compiled = as_a_client_would(form.body)
    assert await sandbox.run(Function(compiled, PARAMETERS), calls, owner="property") == direct


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("retrun 1", 1, 8, "Unexpected number"),
        ("var x = 1;\nretrun x", 2, 8, "Unexpected identifier 'x'"),
        ("function (v) { retrun v }", 1, 23, "Unexpected identifier 'v'"),
        ("function (v) {\n  return v +;\n}", 2, 13, "Unexpected token ';'"),
        ("(v) => {\n\n   let let = 1 }", 3, 8, "let is disallowed as a lexically bound name"),
        ("export default (v) => v v", 1, 25, "Unexpected identifier 'v'"),
        ("execute(v) { return v v }", 1, 23, "Unexpected identifier 'v'"),
        ("function (v) {\n  return v", 2, 11, "Unexpected end of input"),
        ("return [1, 2;", 1, 13, "Unexpected token ';'"),
        ("return 1 }", 1, 11, "Unexpected end of input, or one '}' too many"),
        ("return `a\nb", 2, 2, "Unexpected end of input"),
        ("return 1 \u2028 2 3", 2, 4, "Unexpected number"),
        ("\r\n\r\nx y", 3, 3, "Unexpected identifier 'y'"),
        ("'\ud800' 5", 1, 5, "Unexpected number"),
        ("", 1, 1, "The source is empty"),
        (" \n // nothing; \n /* here */ ;", 1, 1, "The source is empty"),
    ],
)
async def test_a_source_that_does_not_parse_is_refused_with_its_place(
    sandbox: Sandbox, source: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(Unparsable) as refused:
        await sandbox.inspect(source, PARAMETERS)
    error = refused.value
    assert (error.line, error.column) == (line, column)
    assert message in error.message


@pytest.mark.parametrize("source", ["(" * 100_000, "[" * 100_000, "return " + "-" * 1_000_000 + "1"])
async def test_a_source_too_deep_for_the_parser_is_refused(sandbox: Sandbox, source: str) -> None:
    with pytest.raises(Unparsable, match="Maximum call stack size exceeded"):
        await sandbox.inspect(source, PARAMETERS)


@pytest.mark.parametrize(
    "source",
    [
        "(() => { for (;;); })()",
        "}); for (;;); (function () {",
        "1); for (;;); (1",
        "(function f() { for (;;); f() }())",
        "`${(() => { for (;;); })()}`",
        "execute() {}}); for (;;); ({ x() {}",
    ],
)
async def test_reading_a_source_runs_none_of_it(sandbox: Sandbox, source: str) -> None:
    before = sandbox.worker_pids
    try:
        await sandbox.inspect(source, PARAMETERS)
    except Unparsable as error:
        assert "in time" not in error.message  # noqa: PT017 - both ends are right, a timeout is not
    assert sandbox.worker_pids == before


async def test_a_source_full_of_comments_is_read_in_time(sandbox: Sandbox) -> None:
    source = "/* a */ // b\n" * 2_000 + "return variable" + "/**/;" * 2_000
    assert (await sandbox.inspect(source, PARAMETERS)).kind == SourceKind.BODY
    source = "(variable) => variable;\n" + "// const old = 1;\n" * 2_000
    assert (await sandbox.inspect(source, PARAMETERS)).kind == SourceKind.EXPRESSION


async def test_a_class_is_no_function_to_call(sandbox: Sandbox) -> None:
    [outcome] = await sandbox.run(Function("class A {}", PARAMETERS), [["1", "2"]], owner="class")
    assert isinstance(outcome, Threw)
    assert "Class constructor A cannot be invoked without 'new'" in outcome.message
