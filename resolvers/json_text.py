"""JSON as the pool keeps it: text, checked once on the way in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson
import rfc8785

from resolvers.errors import BadInput, TooLarge
from sandbox import is_deeper, nesting

MAX_BYTES = 1_000_000
MAX_NESTING = 100
"""Levels of arrays and objects; what flows make of values goes one level deeper."""
EXACT_DIGITS = 15


class JsonText(str):
    """A JSON text (RFC 8259) that was checked."""

    __slots__ = ()


def checked(value: Any, *, field: str, max_bytes: int = MAX_BYTES, max_nesting: int = MAX_NESTING) -> str:
    """`value`, a Python value or a `JsonText`, as JSON text to store.

    Raises BadInput for what JSON or a JavaScript number can't hold, and TooLarge over `max_bytes` of UTF-8 and over
    `max_nesting` levels of arrays and objects.
    """
    if isinstance(value, JsonText):
        text = str(value)
    else:
        try:
            text = orjson.dumps(value).decode()
        except TypeError as problem:
            raise BadInput(f"{field} is not a JSON value: {problem}", field=field) from None
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise TooLarge(f"{field} may have at most {max_bytes:,} bytes of JSON, got {size:,}", field=field)
    if is_deeper(text, max_nesting):
        raise TooLarge(
            f"{field} may have at most {max_nesting} levels of arrays and objects, got {nesting(text)}", field=field
        )
    return text


def parse(text: str) -> Any:
    return orjson.loads(str(text))


def _as_javascript_reads(digits: str) -> int | float:
    return int(digits) if len(digits) <= EXACT_DIGITS else float(digits)


def digest(*texts: str) -> str:
    """What votes are compared by: SHA-256 over the canonical form of JSON texts (JSON Canonicalization Scheme,
    RFC 8785), so that neither the order of keys nor the spelling of a number makes a difference."""
    try:
        canonical = rfc8785.dumps([json.loads(text, parse_int=_as_javascript_reads) for text in texts])
    except (rfc8785.CanonicalizationError, RecursionError):
        # A number out of a double's range has no canonical form, and what is nested too deeply is not worth one:
        # such a text agrees only with its equal.
        canonical = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(canonical).hexdigest()
