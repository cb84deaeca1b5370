"""The npm client at a pool that wants tokens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.client.conftest import DOUBLER, HERE
from tests.processes import HTTP
from tests.warm_servers import warm_server


def test_the_client_shows_its_token(node_modules: Path) -> None:
    with warm_server("memory", options=("--auth", "tokens")) as server:
        token = server.operator_token
        headers = {"authorization": f"Bearer {token}"}
        HTTP.post(f"{server.url}/jobs", json=DOUBLER, headers=headers).raise_for_status()
        command = ["node", "--no-warnings", str(HERE / "walks/token.mjs"), server.url, "doubler", token]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"refused": "UNAUTHENTICATED", "owner": "operator"}
