"""JSON as the pool keeps it: text, checked once on the way in."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import orjson

from resolvers.canonical_json import NotCanonical, canonical
from resolvers.errors import BadInput, TooLarge
from sandbox import is_deeper, nesting

MAX_BYTES = 1_000_000
MAX_NESTING = 100
"""Levels of arrays and objects; what flows make of values goes one level deeper."""
MAX_READ_NESTING = 1_024
"""Levels that a request as a whole may have, which are as many as orjson reads."""

MAX_MEMBERS = 1_000_000
"""Members and keys of arrays and objects in a request as a whole: each takes far more bytes in memory than in JSON, and
orjson reads as many in 50 ms."""
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
WHOLE = re.compile(rb'(?:[^"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
"""Of a part of a JSON text, that which has no half of a string in it."""
PART_BYTES = 1 << 20

ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)")
"""Of a JSON text: a surrogate pair, a lone surrogate (the group), or any other escape."""
MINUS_ZERO = re.compile(r"-0(?![0-9.eE])")
# Possessive, and with a string that may lack its end: a text that is no JSON takes no longer than one that is.
STRING_OR_MINUS_ZERO = re.compile(rf'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|{MINUS_ZERO.pattern}', re.DOTALL)


class JsonText(str):
    """A JSON text (RFC 8259) that was checked."""

    __slots__ = ()


def size_of(*texts: str) -> int:
    """What texts take, in bytes of UTF-8."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def checked(value: Any, *, field: str, max_bytes: int = MAX_BYTES, max_nesting: int = MAX_NESTING) -> str:
    """`value`, a Python value or a `JsonText`, as JSON text to store.

    Raises BadInput for what JSON or a JavaScript number can't hold, and TooLarge over `max_bytes` of UTF-8 and over
    `max_nesting` levels of arrays and objects.
    """
    text = str(value if isinstance(value, JsonText) else written(value, field=field))
    size = size_of(text)
    if size > max_bytes:
        raise TooLarge(f"{field} may have at most {max_bytes:,} bytes of JSON, got {size:,}", field=field)
    if is_deeper(text, max_nesting):
        raise TooLarge(
            f"{field} may have at most {max_nesting} levels of arrays and objects, got {nesting(text)}", field=field
        )
    return text


def weight(*values: Any) -> int:
    """How much work these values are, in bytes of JSON as far as they are texts (`turns.aside`)."""
    return sum(len(value) for value in values if isinstance(value, str))


def written(value: Any, *, field: str) -> JsonText:
    """A Python value as JSON, however long or deep it is. Raises BadInput for what JSON can't hold."""
    try:
        try:
            text = orjson.dumps(value).decode()
        except TypeError as problem:
            if "Recursion limit" not in str(problem):
                raise
            text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as problem:
        raise BadInput(f"{field} is not a JSON value: {problem}", field=field) from None
    return JsonText(text)


def well_formed(text: str) -> str:
    """A JSON text with U+FFFD in place of lone surrogates, which `JSON.stringify` escapes and RFC 8259 (section 8.2)
    leaves without a meaning. It is what `String.prototype.toWellFormed` makes of them."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)


def parse(text: str) -> Any:
    """The value of a JSON text, as JavaScript reads it: `-0` is the float, since an int has no negative zero.

    Raises json.JSONDecodeError.
    """
    text = well_formed(str(text))
    if MINUS_ZERO.search(text):
        text = STRING_OR_MINUS_ZERO.sub(lambda found: "-0.0" if found[0] == "-0" else found[0], text)
    return orjson.loads(text)


def _separators(text: bytes) -> int:
    parts = range(0, len(text), PART_BYTES)
    return sum(text.count(each, at, at + PART_BYTES) for at in parts for each in (b",", b":", b"[", b"{"))


def _members(text: bytes) -> int:
    """How many members and keys a JSON text has at most, without those that only its strings seem to have. They are
    counted in parts, since no other thread runs during one."""
    members = at = 0
    size = PART_BYTES
    while at < len(text):
        found = WHOLE.match(text, at, at + size)
        if found and found.end() > at:
            members += _separators(STRING.sub(b"", found[0]))
            at, size = found.end(), PART_BYTES
        elif at + size < len(text):
            size *= 2
        else:  # A string without an end.
            break
    return members


def read(body: bytes | str, *, name: str) -> Any:
    """The value of a JSON text that a caller sent, and calls `name`.

    Raises BadInput for what is no JSON in UTF-8, or nested more deeply than is read, and TooLarge for too many members.
    """
    sent = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    if _separators(sent) > MAX_MEMBERS and (members := _members(sent)) > MAX_MEMBERS:
        raise TooLarge(
            f"{name} has {members:,} members and keys of arrays and objects, and at most {MAX_MEMBERS:,} are read: "
            "send less at once"
        )
    try:
        return parse(sent.decode())
    except UnicodeDecodeError as problem:
        raise BadInput(f"{name} is not JSON: its byte {problem.start:,} is not UTF-8") from None
    except json.JSONDecodeError as problem:
        if "depth limit" in problem.msg:
            raise BadInput(
                f"{name} has more than {MAX_READ_NESTING:,} levels of arrays and objects, and no more are read: nest "
                "it less deeply"
            ) from None
        raise BadInput(f"{name} is not JSON: {problem}") from None


def digest(*texts: str) -> str:
    """What votes are compared by: SHA-256 over the canonical form of JSON texts (JSON Canonicalization Scheme,
    RFC 8785), so that neither the order of keys nor the spelling of a number makes a difference."""
    try:
        compared = canonical(texts)
    except NotCanonical:  # It agrees only with its equal.
        compared = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(compared).hexdigest()
