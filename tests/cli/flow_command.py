"""`comp-pool flow` as a test calls it, and what it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner, Result

from cli.group import commands

ONE = {"name": "one", "jobs": [{"job": "square", "variable": "three"}]}
TREE = {
    "name": "tree",
    "owner": "me",
    "jobs": [{"job": "square", "variable": "three", "as": "last"}],
    "dependent": [{"jobs": [{"job": "square", "variable": "two"}, {"job": "square", "variable": "three"}]}],
}
BROKEN = {"jobs": [{"job": "broken", "policy": {"maxErrors": 1}}]}
KEY = r"[0-9a-f]{32}"


def run(pool: str, *arguments: str, input_: str | None = None, env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(commands, ["flow", *arguments, "--url", pool], input=input_, env=env)


def submit(pool: str, flow: Mapping[str, Any], *options: str) -> Result:
    return run(pool, "submit", "-", *options, input_=json.dumps(flow))


def key_of(result: Result) -> str:
    found = re.match(f"flow ({KEY}) ", result.stdout)
    assert found, result.output
    return found[1]


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def failure(result: Result) -> str:
    """The one line of a command that failed."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")
