"""How deep JSON goes."""

import re
from array import array
from itertools import accumulate

STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
STEPS = bytes(1 if byte in b"[{" else 255 for byte in range(256))
"""By a bracket: one level down, or one up (255 is -1 in a signed byte)."""
PART = 50_000
NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def is_deeper(text: str, most: int) -> bool:
    """Whether a JSON text has more than `most` levels. Nearly all have not even as many brackets."""
    return text.count("[") + text.count("{") > most and nesting(text) > most


def nesting(text: str) -> int:
    """Levels of arrays and objects in a JSON text."""
    brackets = STRING.sub("", text).encode("utf-8", "surrogatepass").translate(STEPS, NO_BRACKETS)
    deepest = depth = 0
    for at in range(0, len(brackets), PART):  # In parts: no other thread runs during one.
        depths = list(accumulate(array("b", brackets[at : at + PART]), initial=depth))
        depth = depths[-1]
        deepest = max(deepest, *depths)
    return deepest
