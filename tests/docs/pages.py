"""The pages that users read, and the examples on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words behind that, and what stands in it."""

    language: str
    words: tuple[str, ...]
    text: str


def pages() -> list[Path]:
    return [README, *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(*_split(match["info"]), match["text"]) for match in found]


def links(page: Path) -> list[Path]:
    """The files of this project that a page links to."""
    targets = (match["target"] for match in _LINK.finditer(page.read_text(encoding="utf-8")))
    return [(page.parent / target).resolve() for target in targets]


def _split(info: str) -> tuple[str, tuple[str, ...]]:
    language, *words = info.split()
    return language, tuple(words)
