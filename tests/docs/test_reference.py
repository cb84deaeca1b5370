"""The generated files say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.write_reference import ROOT, reference

FILES = reference()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written == FILES[path], "run `make reference`"
