"""JSON comes out as it went in."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.json_text import MAX_BYTES, MAX_NESTING
from schema.machinery.scalars import SCALARS, JsonText
from tests.resolvers.playing import DOUBLE
from tests.schema.api import Api

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
keys = texts | st.sampled_from(["$set", "a.b", "_id", "id", "__proto__", "", "$"])
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)

READ = 'query ($id: String!) { variable(job: "double", id: $id) { value } }'


async def _store(api: Api, value: Any) -> str:
    """The text under which the pool keeps a value that came as a GraphQL variable."""
    key = uuid4().hex
    await api.done("createVariables", "variables { key }", job="double", variables=[{"id": key, "value": value}])
    stored = await api.runtime.store.variables.by_key("double", key)
    assert stored is not None
    assert (await api(READ, id=key))["variable"]["value"] == value
    return stored.value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values)
async def test_a_value_is_kept_byte_for_byte(api: Api, value: Any) -> None:
    await api.mutate("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    assert await _store(api, value) == orjson.dumps(value).decode()


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("-0.0", "-0.0"),
        ("-0", "-0.0"),
        ("[0, -0, {a: -0}]", '[0,-0.0,{"a":-0.0}]'),
        ("null", "null"),
        ('{a: [1, "é", null, true], b: {c: 1.5}}', '{"a":[1,"\\u00e9",null,true],"b":{"c":1.5}}'),
        ("[$inside, {deeper: $inside}]", '[{"k":1},{"deeper":{"k":1}}]'),
    ],
)
async def test_a_value_written_in_the_document_is_the_same_value(api: Api, literal: str, text: str) -> None:
    await api.done("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    signature = "($inside: JSON!)" if "$inside" in literal else ""
    document = (
        f'mutation {signature} {{ createVariables(input: {{job: "double", variables: [{{value: {literal}}}]}}) '
        "{ variables { key } userErrors { message } } }"
    )
    made = await api(document, **({"inside": {"k": 1}} if signature else {}))
    [variable] = made["createVariables"]["variables"]
    stored = await api.runtime.store.variables.by_key("double", variable["key"])
    assert stored is not None
    assert stored.value == text


async def test_a_number_that_json_does_not_have_is_refused_and_not_made_null(api: Api) -> None:
    await api.done("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    answer = await api.answer(
        'mutation { createVariables(input: {job: "double", variables: [{value: 1e999}]}) { userErrors { message } } }'
    )
    [error] = answer["errors"] or answer["data"]["createVariables"]["userErrors"]
    assert "not a JSON value" in error["message"]
    assert await api.runtime.store.variables.count({}) == 0


@pytest.mark.parametrize(
    ("mutation", "said", "field"),
    [
        ("createVariables", {"variables": [{"value": None}, {"id": "empty"}]}, "variables[1].value"),
        ("createResult", {"variable": "one"}, "value"),
    ],
)
async def test_a_value_that_was_left_out_is_not_taken_for_null(
    api: Api, mutation: str, said: dict[str, Any], field: str
) -> None:
    await api.done("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    payload = await api.mutate(mutation, "__typename", job="double", **said)
    message = f"{field} is missing: it takes any JSON value, null too"
    assert payload["userErrors"] == [{"field": field, "code": "BAD_INPUT", "message": message}]
    assert await api.runtime.store.variables.count({}) == 0


@pytest.mark.parametrize("brackets", ["[]", "{}"])
async def test_a_value_that_is_nested_too_deeply_is_refused(api: Api, brackets: str) -> None:
    await api.done("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    deep: Any = [] if brackets == "[]" else {}
    for _ in range(MAX_NESTING - 1):
        deep = [deep] if brackets == "[]" else {"[": deep}
    stored = await _store(api, deep)
    assert stored.count(brackets[0]) >= MAX_NESTING
    depth = MAX_NESTING
    for levels in (MAX_NESTING + 1, MAX_NESTING + 300):
        for _ in range(levels - depth):
            deep = [deep]
        depth = levels
        payload = await api.mutate("createVariables", "__typename", job="double", variables=[{"value": deep}])
        [error] = payload["userErrors"]
        assert error["field"] == "variables[0].value"
        assert f"at most 100 levels of arrays and objects, got {levels}" in error["message"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values)
async def test_a_result_travels_to_its_reader_as_the_host_sent_it(api: Api, value: Any) -> None:
    await api.mutate("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    key = await _variable(api)
    await api.done("createResult", "result { value }", job="double", variable=key, value=value)
    read = await api('query ($id: String!) { variable(job: "double", id: $id) { canonicalResult { value } } }', id=key)
    assert read["variable"]["canonicalResult"]["value"] == value


async def _variable(api: Api) -> str:
    made = await api.done("createVariables", "variables { key }", job="double", variables=[{"value": 1}])
    key: str = made["variables"][0]["key"]
    return key


def test_what_the_pool_made_may_be_larger_than_what_it_takes() -> None:
    large = JsonText(orjson.dumps("x" * (MAX_BYTES + 1)).decode())
    assert orjson.loads(orjson.dumps(SCALARS[JsonText].serialize(large))) == "x" * (MAX_BYTES + 1)  # type: ignore[misc]
