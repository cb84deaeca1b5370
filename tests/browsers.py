"""Browsers other than Chromium, each by the protocol that it has itself: Debian's firefox-esr and webkit2gtk-driver."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.conftest import lacking
from tests.processes import PATIENCE_S, until

Evaluate = Callable[[str], Any]
"""Gives what an expression is in a blank page of a browser: text, a number, or true or false."""

MINI_BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"
BLANK = "about:blank"


@contextmanager
def firefox(home: Path) -> Iterator[Evaluate]:
    """A Firefox, by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), whose profile is in `home`."""
    program = shutil.which("firefox-esr") or shutil.which("firefox") or lacking("firefox-esr")
    said = home / "firefox.log"
    command = [program, "--headless", "--no-remote", "--profile", str(home), "--remote-debugging-port", "0", BLANK]
    with said.open("wb") as log, _running(command, log, {"HOME": str(home)}):
        listens = until(lambda: re.search(r"BiDi listening on (ws://\S+)", said.read_text()), "Firefox listens")
        with connect(f"{listens[1]}/session", open_timeout=PATIENCE_S, max_size=None) as socket_:
            numbers = count()

            def ask(method: str, **parameters: Any) -> Any:
                number = next(numbers)
                socket_.send(json.dumps({"id": number, "method": method, "params": parameters}))
                while (answer := json.loads(socket_.recv(PATIENCE_S))).get("id") != number:
                    pass
                assert answer["type"] == "success", answer
                return answer["result"]

            ask("session.new", capabilities={})
            page = ask("browsingContext.getTree")["contexts"][0]["context"]

            def evaluate(expression: str) -> Any:
                result = ask("script.evaluate", expression=expression, target={"context": page}, awaitPromise=False)
                assert result["type"] == "success", result
                return result["result"].get("value")

            yield evaluate


@contextmanager
def webkit(home: Path) -> Iterator[Evaluate]:
    """A WebKitGTK, by WebDriver (https://www.w3.org/TR/webdriver2/)."""
    driver = shutil.which("WebKitWebDriver") or lacking("webkit2gtk-driver")
    display = shutil.which("xvfb-run") or lacking("xvfb-run")
    browser = next(map(str, Path("/usr/lib").glob(MINI_BROWSERS)), None) or lacking("WebKitGTK's MiniBrowser")
    port = _free_port()
    with (home / "webkit.log").open("wb") as log:
        command = [display, "-a", driver, f"--port={port}"]
        with _running(command, log, {"HOME": str(home)}), httpx.Client(timeout=PATIENCE_S) as http:

            def ask(path: str, **body: Any) -> Any:
                answer = http.post(f"http://127.0.0.1:{port}/session{path}", json=body)
                assert answer.is_success, answer.text
                return answer.json()["value"]

            until(lambda: _listens(port), "WebKitWebDriver listens")
            options = {"webkitgtk:browserOptions": {"binary": browser, "args": ["--automation"]}}
            session = f"/{ask('', capabilities={'alwaysMatch': options})['sessionId']}"
            ask(f"{session}/url", url=BLANK)
            yield lambda expression: ask(f"{session}/execute/sync", script=f"return ({expression})", args=[])
            http.delete(f"http://127.0.0.1:{port}/session{session}")


@contextmanager
def _running(command: list[str], log: Any, environment: dict[str, str]) -> Iterator[None]:
    """A program and all that it starts, until the block ends."""
    process = subprocess.Popen(
        command, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
