"""The examples of the documentation, run from its own text against a pool of their own.

Blocks of `sh` are run by bash, blocks of `graphql` are sent with the `json variables` behind them, and what came of
either holds all that the next `json answer` shows; `"..."` there stands for anything. `console` blocks only show.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import lacking
from tests.docs.pages import DOCS, ROOT, Block, blocks, pages

SHOWN_URL = "http://127.0.0.1:7070"
RUN = {"sh", "graphql"}
BY_A_VOLUNTEER = DOCS / "flows.md"
"""Its examples take one: see `test_flow_examples`."""
PAGES = [page for page in pages() if page != BY_A_VOLUNTEER and RUN & {block.language for block in blocks(page)}]
STOPS_WITHIN_S = 120
BLOCK_TAKES_S = 120
ANYTHING = "..."
PLACE = re.compile(r"<([A-Za-z0-9.]+)>")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[str]:
    """The address of a pool that just started."""
    command = [sys.executable, "-m", "cli", "serve", "--port", "0", "--database", "memory", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=_environment(tmp_path)) as server:
        assert server.stdout
        try:
            yield str(json.loads(server.stdout.readline())["url"])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STOPS_WITHIN_S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_do_what_the_page_says(page: Path, pool: str, tmp_path: Path) -> None:
    answers: dict[str, Any] = {}
    answer: Any = None
    following = blocks(page)
    while following:
        block, *following = following
        if block.language == "sh":
            answer = _shell(block.text.replace(SHOWN_URL, pool), tmp_path)
        elif block.language == "graphql":
            variables = following[0].text if following and following[0].words == ("variables",) else "{}"
            answer = _graphql(pool, block, _filled(json.loads(variables), answers))
            answers |= answer["data"]
        elif block.words == ("answer",):
            shown = json.loads(answer) if isinstance(answer, str) else answer
            assert _holds(shown, json.loads(block.text)), f"{block.text}\nbut it was\n{json.dumps(shown, indent=2)}"


def _shell(script: str, home: Path) -> str:
    bash = shutil.which("bash") or lacking("bash")
    if "curl" in script and not shutil.which("curl"):
        lacking("curl")
    done = subprocess.run(
        [bash, "-euo", "pipefail", "-c", script],
        cwd=home,
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=BLOCK_TAKES_S,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _graphql(pool: str, block: Block, variables: Any) -> dict[str, Any]:
    answer = httpx.post(f"{pool}/graphql", json={"query": block.text, "variables": variables}, timeout=BLOCK_TAKES_S)
    body: dict[str, Any] = answer.json()
    assert "errors" not in body, body
    return body


def _filled(value: Any, answers: dict[str, Any]) -> Any:
    """`value` with what the answers so far hold where a text is a place such as `<claimTasks.tasks.0.id>`."""
    if isinstance(value, dict):
        return {name: _filled(each, answers) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, answers) for each in value]
    if isinstance(value, str) and (place := PLACE.fullmatch(value)):
        found: Any = answers
        for step in place[1].split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found
    return value


def _holds(whole: Any, part: Any) -> bool:
    """Whether all of `part` is in `whole`: objects may have more members there, lists not."""
    if part == ANYTHING:
        return True
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and _holds(whole[name], part[name]) for name in part)
    if isinstance(part, list):
        same_length = isinstance(whole, list) and len(whole) == len(part)
        return same_length and all(_holds(*pair) for pair in zip(whole, part, strict=True))
    return bool(whole == part)


def _environment(home: Path) -> dict[str, str]:
    """This project's programs first, and a home of their own for what they remember."""
    programs = str(Path(sys.executable).parent)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
