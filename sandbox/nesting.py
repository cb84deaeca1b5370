"""How deep JSON goes."""

import re

BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


def is_deeper(text: str, most: int) -> bool:
    """Whether a JSON text has more than `most` levels. Nearly all have not even as many brackets."""
    return text.count("[") + text.count("{") > most and nesting(text) > most


def nesting(text: str) -> int:
    """Levels of arrays and objects in a JSON text."""
    depth = deepest = 0
    for bracket in BRACKET.finditer(text):
        if bracket[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif bracket[2]:
            depth -= 1
    return deepest
