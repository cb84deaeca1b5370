"""The example of the package's README, run from its own text."""

import re
import subprocess
import sys
from pathlib import Path

from tests.processes import running_server

README = Path(__file__).parents[1] / "README.md"
SHOWN_URL = "http://127.0.0.1:7070"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_example_prints_what_the_readme_shows() -> None:
    blocks = dict(BLOCK.findall(README.read_text(encoding="utf-8")))
    with running_server("memory") as server:
        script = blocks["python"].replace(SHOWN_URL, server.url)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == (blocks["text"], "")
