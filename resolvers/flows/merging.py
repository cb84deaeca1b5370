"""How results of parallel jobs become one object. Pure, and the same whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from resolvers import json_text


class TooMuch(Exception):
    """What was merged is longer than it may be; the message says what that is."""


class Merge:
    """One JSON object out of (name, JSON text) pairs, in order: an object is assigned into it, anything else is set
    under its name. It may have `most` bytes of JSON."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._merged: dict[str, Any] = {}
        self._unchecked = 0

    def add(self, parts: Iterable[tuple[str, str]]) -> None:
        """Raises TooMuch."""
        for name, text in parts:
            value = json_text.parse(text)
            if isinstance(value, dict):
                self._merged.update(value)
            else:
                self._merged[name] = value
            self._unchecked += len(name) + len(text)
            if self._unchecked > self._most:
                # What is assigned under one name many times is long only in the sum.
                self._unchecked = len(self.text())

    def text(self) -> str:
        """Raises TooMuch."""
        text = orjson.dumps(self._merged)
        if len(text) > self._most:
            raise TooMuch(f"over {self._most:,} bytes of JSON")
        return text.decode()


def with_result(context: str, result: str) -> str:
    """The context that a job's function returned: the stored one with the stored `result` in it."""
    inner = context.strip()[1:-1].strip()
    return f'{{{inner}{"," if inner else ""}"result":{result}}}'
