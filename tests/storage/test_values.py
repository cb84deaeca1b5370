"""A value comes back from every engine as it was stored, and is found by what it equals."""

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.engines import Database

_texts = st.text(st.characters(exclude_categories=["Cs"]))
_integers = st.integers(-(2**63), 2**63 - 1)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_scalars = st.one_of(_texts, _integers, _floats, st.booleans())
_lists = st.one_of(st.lists(_texts), st.lists(_integers), st.lists(_floats), st.lists(st.booleans()))
_map_keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_:-]*", fullmatch=True)
_values = st.recursive(
    st.one_of(_scalars, _lists), lambda inner: st.dictionaries(_map_keys, inner, max_size=4), max_leaves=8
)
_short_floats = st.decimals(-(10**12), 10**12, places=2).map(float)
"""Those that may be set: the embedded engine keeps 15 digits."""
_set_values = st.one_of(_values.filter(lambda value: not isinstance(value, float)), _short_floats)
_serial = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(inserted=_values, updated=_set_values)
async def test_a_value_comes_back_as_it_was_stored(database: Database, inserted: Any, updated: Any) -> None:
    # The guard holds a field to one type, so every example has fields of its own.
    _id, first, second = (f"{name}{next(_serial)}" for name in ("id", "first", "second"))
    documents = database.collection("documents")
    await documents.insert_one({"_id": _id, first: inserted})
    await documents.update_one({"_id": _id}, {"$set": {second: updated}})
    assert await documents.find_one({"_id": _id}) == {"_id": _id, first: inserted, second: updated}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.one_of(_texts.filter(lambda text: "\0" not in text), _integers, _floats, st.booleans()))
async def test_equality_finds_a_scalar(database: Database, value: str | int | float) -> None:
    _id, field = (f"{name}{next(_serial)}" for name in ("id", "field"))
    documents = database.collection("documents")
    await documents.insert_one({"_id": _id, field: value})
    assert await documents.find({field: {"$eq": value}}, limit=2) == [{"_id": _id, field: value}]
