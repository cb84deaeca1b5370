"""How results of parallel jobs become one object. Pure, and the same whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from resolvers import json_text


def merge(parts: Iterable[tuple[str, str]]) -> str:
    """One JSON object out of (name, JSON text) pairs, in order: an object is assigned into it, anything else is set
    under its name."""
    merged: dict[str, Any] = {}
    for name, text in parts:
        value = json_text.parse(text)
        if isinstance(value, dict):
            merged.update(value)
        else:
            merged[name] = value
    return orjson.dumps(merged).decode()


def with_result(context: str, result: str) -> str:
    """The context that a job's function returned: the stored one with the stored `result` in it."""
    inner = context.strip()[1:-1].strip()
    return f'{{{inner}{"," if inner else ""}"result":{result}}}'
