"""The generated files say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.write_clients import ENUMS
from docs.write_reference import ROOT, reference
from schema.schema import schema

FILES = reference()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written == FILES[path], "run `make reference`"


def test_no_client_writes_a_state_or_a_code_by_hand() -> None:
    by_hand = re.compile(f"[\"']({'|'.join(sorted(_names()))})[\"']")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("client", "volunteer", "cli")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".js", ".cjs", ".py") and "node_modules" not in path.parts and "tests" not in path.parts
        if path not in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if by_hand.search(line)
    ]
    assert found == [], "take it from schema.js or comp_pool/schema.py"


def _names() -> set[str]:
    return {value for name in ENUMS for value in getattr(schema._schema.type_map[name], "values", {})}
