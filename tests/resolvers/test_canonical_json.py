"""The canonical form is that of RFC 8785, as its slower reference writes it."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from resolvers.canonical_json import NotCanonical, canonical

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["1.0", "1e5", "\U00010000", "\ue000"]
)
numbers = (
    st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e15, 1e16, 1e21, 1e-5, 1e-6, 1e-7, -0.0, 123456789012345680.0])
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.booleans())
def test_it_is_what_the_reference_writes(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert canonical([text]) == rfc8785.dumps([json.loads(text, parse_int=float)])


@pytest.mark.parametrize("text", ["1e400", "[" * 500 + "]" * 500])
def test_what_has_no_canonical_form_is_told(text: str) -> None:
    with pytest.raises(NotCanonical):
        canonical([text])
