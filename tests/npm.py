"""Packages from npm that tests use."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.conftest import lacking


def node_modules(folder: Path) -> Path:
    """Where the packages of a folder's package-lock.json are installed, once by whichever test process comes first."""
    if not (shutil.which("node") and shutil.which("npm")):
        lacking("Node.js with npm")
    installed = folder / "node_modules"
    lock = folder / "package-lock.json"
    stamp = installed / ".package-lock.json"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
            stamp.touch()
    return installed
