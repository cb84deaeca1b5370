"""What calls of a job's function give: one table for the pool and for all volunteers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CASES: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
}
"""By name: the `source`, its `variable` (null) and `context` ({}), and `returns` (`value` and `context`) or `error`."""
FRESH = {name: case for name, case in CASES.items() if "context" not in case}
"""The cases whose context is empty."""


def assert_all_hold(outcomes: Mapping[str, Mapping[str, Any]], cases: Mapping[str, Any] = CASES) -> None:
    """Each case's outcome, which has `value` and `context` or `error`, is what the table says."""
    wrong = {name: (found, case) for name, case in cases.items() if (found := _told(outcomes[name])) != _told(case)}
    assert wrong == {}


def _told(outcome: Mapping[str, Any]) -> object:
    if outcome.get("error") is not None:
        return outcome["error"]
    returned = outcome.get("returns", outcome)
    return json.dumps([returned["value"], returned["context"]], sort_keys=True)
