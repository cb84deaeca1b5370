"""The files that users hand to commands: text, JSON or YAML."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

STANDARD_INPUT = "-"
SURROGATE = re.compile(r"\\[uU](?:0000)?[dD][89a-fA-F]")


class FileProblem(Exception):
    """A file can't be read; the message says why, and leaves its name to the caller."""


def shown(file: str) -> str:
    """The file's name in messages."""
    return "standard input" if file == STANDARD_INPUT else file


def read_text(file: str | Path) -> str:
    """What stands in a file, which is UTF-8; `-` is standard input. Raises FileProblem."""
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode()
        return Path(file).read_text(encoding="utf-8")
    except OSError as problem:
        raise FileProblem(f"can't be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise FileProblem("can't be read: it is not UTF-8") from problem


def parse(file: str, text: str) -> Any:
    """The content of a file as `json` and `yaml` read it, with the meaning that it has to a pool: a lone surrogate is
    U+FFFD, and in JSON `-0` is negative. Its name ends in `.json`, or it may be YAML.

    Raises FileProblem.
    """
    try:
        content = _parsed(text, is_json=file.endswith(".json"))
        return _well_formed(content) if SURROGATE.search(text) else content
    except (ValueError, yaml.YAMLError) as problem:
        raise FileProblem(f"can't be read: {' '.join(str(problem).split())}") from problem
    except RecursionError as problem:
        raise FileProblem("can't be read: it is nested too deeply") from problem


def _parsed(text: str, *, is_json: bool) -> Any:
    """JSON is YAML, all but for some escapes and very long keys, but takes hundreds of times as long as such."""
    try:
        return json.loads(text, parse_int=_integer)
    except json.JSONDecodeError:
        if is_json:
            raise
        return yaml.safe_load(text)


def _integer(digits: str) -> int | float:
    return -0.0 if digits == "-0" else int(digits)


def _well_formed(value: Any) -> Any:
    """A value with U+FFFD in place of lone surrogates, as `String.prototype.toWellFormed` has it: UTF-8 has none."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_well_formed(each) for each in value]
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(each) for key, each in value.items()}
    return value
