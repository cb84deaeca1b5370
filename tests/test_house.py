"""The house is in order: which folder may import which, what is committed, and what is shipped."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests import npm
from tests.conftest import lacking

ROOT = Path(__file__).parents[1]
HOMES = {"comp-pool": ROOT, "comp-pool-client": ROOT / "client" / "python"}
"""Where each distribution is built from."""
PROJECTS = {name: tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8")) for name, home in HOMES.items()}
WHEELS = {name: project["tool"]["hatch"]["build"]["targets"]["wheel"] for name, project in PROJECTS.items()}
LOCKS = ("requirements.lock", "requirements-dev.lock")
JAVASCRIPT = {".js", ".mjs", ".cjs"}
CODE = JAVASCRIPT | {".py", ".css", ".html", ".go", ".java", ".sh"}
MOST_LINES = 300

_ADDRESS = re.compile(r"https?://\S+|file://\S+|--(?:extra-)?index-url|--find-links", re.I)
_OWN_PATH = re.compile(r"/(?:home|root|Users)/\w[\w.-]*|(?:^|[\s\"'=])/work/\w+", re.M)
_TEXT = {".py", ".md", ".toml", ".lock", ".js", ".json", ".yaml", ".yml", ".css", ".html", ".svg", ".graphql", ""}


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        lacking("the project's git repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_point_the_way_the_design_says() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_the_types_of_the_javascript_hold() -> None:
    _javascript_passes("tsc", "--project", "client/jsconfig.json")


@pytest.mark.parametrize(
    "command", [("eslint", "--no-warn-ignored", "--config", "client/eslint.config.js"), ("prettier", "--check")]
)
def test_the_style_of_the_javascript_holds(command: tuple[str, ...]) -> None:
    _javascript_passes(*command, *(path for path in tracked() if path.suffix in JAVASCRIPT))


def _javascript_passes(program: str, *arguments: str | Path) -> None:
    installed = npm.node_modules(ROOT / "client") / ".bin" / program
    checked = subprocess.run([installed, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_file_of_code_is_too_long_to_be_read_as_one() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked()
        if path.suffix in CODE and not path.is_relative_to(ROOT / "docs")
    }
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_committed_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    found = {}
    for path in tracked():
        if path.suffix in _TEXT and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            if places := _OWN_PATH.findall(text):
                found[str(path.relative_to(ROOT))] = places
    assert found == {}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_hashes_and_names_no_registry(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+.*$", lock, re.M)
    assert len(pins) > len(_dependencies("comp-pool"))
    assert all(pin.rstrip().endswith("\\") for pin in pins), "a pin without hashes"
    assert _ADDRESS.findall(lock) == []


def test_the_locks_pin_what_the_project_names() -> None:
    pinned = {_name(line) for line in (ROOT / LOCKS[0]).read_text(encoding="utf-8").splitlines() if "==" in line}
    assert _dependencies("comp-pool") | _dependencies("comp-pool-client") <= pinned | set(HOMES)


@pytest.mark.parametrize("name", HOMES)
def test_every_package_that_is_imported_is_a_dependency_and_every_dependency_is_imported(name: str) -> None:
    distributions = {
        **packages_distributions(),
        **{package: [each] for each in HOMES for package in _packages(each)},
    }
    own = {*_packages(name), *sys.stdlib_module_names}
    imported = {
        _name(distribution)
        for module in _imports(name) - own
        for distribution in distributions[module]
        if module != "__future__"
    }
    assert imported == _dependencies(name)


def test_the_wheels_hold_every_file_of_the_packages_and_run(tmp_path: Path) -> None:
    shipped: set[str] = set()
    for home in HOMES.values():
        subprocess.run([find_uv(), "build", "--quiet", "--wheel", "--out-dir", tmp_path, home], check=True)
    for wheel in tmp_path.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tmp_path / "installed")
            shipped |= set(archive.namelist())
    assert {each for name in HOMES for path in tracked() if (each := _shipped(name, path))} <= shipped
    shown = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: comp-pool" in shown.stdout


def find_uv() -> Path:
    """The program that `make` installs what there is with."""
    found = shutil.which("uv")
    made = ROOT / ".uv/bin/uv"
    return Path(found) if found else made if made.exists() else lacking("uv")


def _packages(distribution: str) -> set[str]:
    """The top-level packages of a distribution."""
    return {Path(each).name for each in WHEELS[distribution]["packages"]}


def _shipped(distribution: str, path: Path) -> str:
    """The name that a file has in the wheel of a distribution, or empty."""
    if not path.is_relative_to(HOMES[distribution]):
        return ""
    wheel, name = WHEELS[distribution], str(path.relative_to(HOMES[distribution]))
    if any(fnmatch(name, pattern) or name.startswith(f"{pattern}/") for pattern in wheel.get("exclude", ())):
        return ""
    package = next((each for each in wheel["packages"] if name.startswith(f"{each}/")), "")
    return name.removeprefix(package.removesuffix(Path(package).name)) if package else ""


def _dependencies(distribution: str) -> set[str]:
    return {_name(each) for each in PROJECTS[distribution]["project"]["dependencies"]}


def _imports(distribution: str) -> set[str]:
    """The top-level modules that the packages of a distribution import."""
    modules: set[str] = set()
    for path in tracked():
        if path.suffix == ".py" and _shipped(distribution, path):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module.partition(".")[0])
    return modules


def _name(requirement: str) -> str:
    """The distribution's name in a requirement, normalized (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()
