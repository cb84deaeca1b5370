"""The JSON Canonicalization Scheme (RFC 8785), at the speed of orjson.

orjson writes what the scheme asks for, except some numbers and, where keys have characters beyond the Basic
Multilingual Plane, the order of keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import orjson
import rfc8785

EXPONENT = re.compile(r"[eE](?<=[0-9].)")
LONG = re.compile(r"[0-9]{16}")
NUMBER = re.compile(
    r'((?:[^"0-9-]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9]{1,15}+(?![0-9.eE])'
    r"|-?[0-9]++\.[0-9]++(?<!\.0)(?![0-9eE]))*+)(-?[0-9][0-9.eE+-]*+|\Z)"
)
"""What stays as it is, and the number after it that does not, or the end."""
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
AFTER_SURROGATES = re.compile("[\ue000-\uffff]")


class NotCanonical(ValueError):
    """The text has no canonical form, for a number out of a double's range, or more levels than are worth one."""


def canonical(texts: Sequence[str]) -> bytes:
    """The canonical form of the array of these JSON texts, in which numbers are doubles, as they are in JavaScript.

    Raises NotCanonical.
    """
    try:
        values = [orjson.loads(text) for text in texts]
        written = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as problem:
        raise NotCanonical(str(problem)) from None
    if ".0" in written or EXPONENT.search(written) or LONG.search(written):
        written = NUMBER.sub(lambda found: found[1] + (_number(found[2]) if found[2] else ""), written)
    if ASTRAL.search(written) and AFTER_SURROGATES.search(written):
        # The scheme sorts keys by UTF-16 code units.
        return rfc8785.dumps(json.loads(written, parse_int=float))
    return written.encode()


def _number(written: str) -> str:
    return rfc8785.dumps(float(written)).decode()
