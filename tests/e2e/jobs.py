"""A file of jobs for the tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SQUARE = "(variable, context) => ({...context, result: variable * variable})"
ENDLESS = "() => { for (;;); }"


def job_file(directory: Path, variables: Sequence[Any], *, source: str = SQUARE, **job: Any) -> Path:
    """The path of a file with the job `work`."""
    path = directory / "work.json"
    content = {"jobs": [{"name": "Work", "executeFunction": source, "variables": list(variables), **job}]}
    path.write_text(json.dumps(content))
    return path
