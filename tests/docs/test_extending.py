"""The worked examples of docs/extending.md, carried out from the page's own text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import lacking
from tests.docs.pages import DOCS, ROOT, blocks
from tests.test_house import WHEELS, find_uv

PAGE = DOCS / "extending.md"
FILES = {block.words[0]: block.text for block in blocks(PAGE) if block.words}
DIFFS = [block.text for block in blocks(PAGE) if block.language == "diff"]
PACKAGE = "fair/"
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__")


def test_a_package_adds_a_job_scheduler(tmp_path: Path) -> None:
    _write(tmp_path, PACKAGE)
    install: list[str | Path] = [find_uv(), "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, tmp_path / "site", tmp_path / "fair"], check=True)
    _pytest(tmp_path / "fair", f"{tmp_path / 'site'}{os.pathsep}{ROOT}", "test_fair.py")


def test_a_storage_operation_and_a_field_with_its_route_are_added(tmp_path: Path) -> None:
    for package in WHEELS["comp-pool"]["packages"]:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
    for file in ("pyproject.toml", "tests/conftest.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    git = shutil.which("git") or lacking("git")
    for diff in DIFFS:
        # Outside of any repository, and without insisting on line numbers: the page need not follow each change.
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
        applied = [git, "apply", "-C1", "-"]
        subprocess.run(applied, input=diff, text=True, cwd=tmp_path, env=environment, check=True)
    tests = _write(tmp_path, "tests/")
    assert len(DIFFS) == 3
    assert len(tests) == 2
    _pytest(tmp_path, str(tmp_path), *tests)


def _write(folder: Path, under: str) -> list[str]:
    """Write the page's files whose names begin with `under`; their names."""
    names = [name for name in FILES if name.startswith(under)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES[name], encoding="utf-8")
    return names


def _pytest(folder: Path, path: str, *tests: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{done.stdout}\n{done.stderr}")
