"""Reading a flow from a file: JSON or YAML, in camelCase or snake_case."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic.alias_generators import to_camel

from comp_pool.files import FileProblem, parse


def read_flow(file: str, text: str) -> dict[str, Any]:
    """Read a flow. What stands in it is checked by the pool.

    Args:
        file: its name, which decides between JSON (`.json`) and YAML.
        text: what stands in it.

    Returns:
        The input of `submitFlow`: `{name?, owner?, jobs, dependent?, onFailure?, idempotencyKey?}`.

    Raises:
        FileProblem: it can't be read, is no object with `jobs`, or can't be sent as JSON.
    """
    content = parse(file, text)
    if not isinstance(content, dict) or "jobs" not in content:
        raise FileProblem("holds no flow: an object with a list `jobs` was expected")
    try:
        flow: dict[str, Any] = _camel(content)
        orjson.dumps(flow)
    except (TypeError, RecursionError) as problem:
        raise FileProblem(f"can't be sent as JSON: {problem}") from problem
    return flow


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel(str(name)): _camel(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_camel(each) for each in value]
    return value
