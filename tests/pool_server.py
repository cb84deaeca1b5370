"""A server of the pool in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_pool(*options: str) -> Iterator[str]:
    """Runs an empty pool in memory; its address, without a slash at its end."""
    command = [sys.executable, "-m", "server", "serve", "--port", "0", "--database", "memory", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
