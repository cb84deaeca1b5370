"""Reading a flow from a file: JSON or YAML, in camelCase or snake_case."""

from __future__ import annotations

from typing import Any

import orjson
import yaml
from pydantic.alias_generators import to_camel


class FlowFileProblem(Exception):
    """A file holds no flow; the message says what was expected."""


def read_flow(file: str, text: str) -> dict[str, Any]:
    """The input of `submitFlow` that a file holds: `{name?, owner?, jobs, dependent?, onFailure?, idempotencyKey?}`.

    What stands in it is checked by the pool. Raises FlowFileProblem for what is no YAML (JSON is YAML), no object with
    `jobs`, or can't be sent as JSON.
    """
    try:
        content = _parsed(text, is_json=file.endswith(".json"))
        flow: dict[str, Any] = _camel(content)
        orjson.dumps(flow)
    except (orjson.JSONDecodeError, yaml.YAMLError) as problem:
        raise FlowFileProblem(f"{file} can't be read: {' '.join(str(problem).split())}") from problem
    except (TypeError, RecursionError) as problem:
        raise FlowFileProblem(f"{file} can't be sent as JSON: {problem}") from problem
    if not isinstance(content, dict) or "jobs" not in content:
        raise FlowFileProblem(f"{file} holds no flow: an object with a list `jobs` was expected")
    return flow


def _parsed(text: str, *, is_json: bool) -> Any:
    """JSON is YAML, but takes hundreds of times as long to be read as such."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if is_json:
            raise
        return yaml.safe_load(text)


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel(str(name)): _camel(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_camel(each) for each in value]
    return value
