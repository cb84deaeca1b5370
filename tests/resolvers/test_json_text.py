import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import BadInput, TooLarge
from resolvers.json_text import JsonText, checked, digest, parse

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_what_is_stored_is_what_came(value: Any) -> None:
    text = checked(value, field="value")
    assert parse(text) == value
    assert checked(JsonText(text), field="value") == text


@given(json_values, st.randoms())
def test_neither_the_order_of_keys_nor_white_space_changes_a_vote(value: Any, chance: Any) -> None:
    def shuffled(inner: Any) -> Any:
        if isinstance(inner, dict):
            members = [(key, shuffled(member)) for key, member in inner.items()]
            return dict(chance.sample(members, len(members)))
        return [shuffled(member) for member in inner] if isinstance(inner, list) else inner

    assert digest(json.dumps(value)) == digest(json.dumps(shuffled(value), indent=1, ensure_ascii=False))


@given(json_values, json_values)
def test_different_values_are_different_votes(a: Any, b: Any) -> None:
    def as_javascript(value: Any) -> Any:
        return json.loads(json.dumps(value), parse_int=float)

    same = json.dumps(as_javascript(a), sort_keys=True) == json.dumps(as_javascript(b), sort_keys=True)
    if same:
        assert digest(json.dumps(a)) == digest(json.dumps(b))
    elif as_javascript(a) != as_javascript(b):
        assert digest(json.dumps(a)) != digest(json.dumps(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1", "1.0"),
        ("100000", "1e5"),
        ("0", "-0"),
        ("0", "-0.0"),
        ("9007199254740993", "9007199254740992"),
        ("123456789012345678901234567890", "1.2345678901234568e29"),
        ('"\\u00e9"', '"é"'),
    ],
)
def test_spellings_of_one_javascript_value_are_one_vote(a: str, b: str) -> None:
    assert digest(a) == digest(b)


@pytest.mark.parametrize("deep", ["[" * 1000 + "]" * 1000, '{"a":' * 900 + "1" + "}" * 900])
def test_what_is_nested_too_deeply_to_be_compared_agrees_with_its_equal(deep: str) -> None:
    assert digest(deep) == digest(deep) != digest(f"[{deep}]")


def test_several_texts_are_not_one_of_them_joined() -> None:
    assert len({digest("1", "2"), digest("12"), digest("[1,2]"), digest("2", "1")}) == 4


def test_what_json_can_not_hold_is_refused() -> None:
    for value in (object(), {1: 2}, "\ud800", 2**70):
        with pytest.raises(BadInput, match="thing is not a JSON value"):
            checked(value, field="thing")


def test_more_bytes_than_allowed_are_refused_with_their_number() -> None:
    with pytest.raises(TooLarge, match="thing may have at most 10 bytes of JSON, got 12"):
        checked("éééé\n", field="thing", max_bytes=10)
