"""The real commands as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import httpx
import psutil

PATIENCE_S = 120.0
"""For what a process does: as much as a machine needs whose processors are all taken."""
LOOK_S = 0.1

# A client is expensive, for the certificates that it loads. Each connection may reach another process of a server.
HTTP = httpx.Client(timeout=PATIENCE_S, limits=httpx.Limits(max_keepalive_connections=0))

COUNTS = "query($key: String!) { job(key: $key) { variableCounts { new open done failed } } }"
OPERATOR_TOKEN = """mutation {
  createToken(input: {name: "test", scopes: [READ, SUBMIT, COMPUTE, OPERATE]}) { text userErrors { message } } }"""
TASKS = "{ pool { status { tasks { ready leased reported expired } hosts } } }"


def command(*arguments: str) -> list[str]:
    """A command line of `comp-pool`."""
    return [sys.executable, "-m", "cli", *arguments]


def environment(home: Path) -> dict[str, str]:
    """The environment of a process that keeps what it remembers under `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMP_POOL_")}
    return {**kept, "XDG_DATA_HOME": str(home)}


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        time.sleep(LOOK_S)
    return value


@dataclass
class RunningServer:
    """A server, and a few questions to it."""

    url: str
    process: subprocess.Popen[str] | psutil.Process
    said: dict[str, Any] = field(default_factory=dict)
    """What it said when it was ready."""

    @cached_property
    def operator_token(self) -> str:
        """A token of the operator's, who signs in by the link of the first start and makes it."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.said["operatorLink"]))
        headers = {"origin": origin}
        link = self.said["operatorLink"].rpartition("link=")[2]
        opened = HTTP.post(f"{self.url}/session", json={"link": link}, headers=headers)
        headers["cookie"] = opened.headers["set-cookie"].partition(";")[0]
        asked = HTTP.post(f"{self.url}/graphql", json={"query": OPERATOR_TOKEN}, headers=headers).json()
        text: str = asked["data"]["createToken"]["text"]
        return text

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data that GraphQL answers."""
        response = HTTP.post(f"{self.url}/graphql", json={"query": query, "variables": variables})
        answer = response.json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def counts(self, job: str) -> dict[str, int]:
        """How many variables of a job are in each state."""
        counted: dict[str, int] = self.ask(COUNTS, key=job)["job"]["variableCounts"]
        return counted

    def tasks(self) -> dict[str, int]:
        """How many tasks are in each state, counted at most a second ago."""
        counted: dict[str, int] = self.ask(TASKS)["pool"]["status"]["tasks"]
        return counted

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """End the server by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def serve_arguments(database: str | Path, *, workers: int = 1, port: int = 0, options: Sequence[str] = ()) -> list[str]:
    """Those of `comp-pool` for a server of the tests; by default the machine chooses the port."""
    place = ["--database", str(database), "--port", str(port), "--workers", str(workers)]
    return ["serve", "--json", *place, "--sandbox-workers", "1", *options]


@contextmanager
def running_server(
    database: str | Path,
    *,
    workers: int = 1,
    port: int = 0,
    options: Sequence[str] = (),
    log: IO[str] | None = None,
    under: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """`comp-pool serve` on a database, started by the command `under` in the environment `env`; stopped by SIGTERM at
    the end of the block if it still runs. What it says on standard error goes to `log`."""
    arguments = serve_arguments(database, workers=workers, port=port, options=options)
    process = subprocess.Popen(
        [*under, *command(*arguments)],
        stdout=subprocess.PIPE,
        stderr=log,
        env=env,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, f"comp-pool serve ended with status {process.wait()}"
        said = json.loads(line)
        yield RunningServer(said["url"], process, said)
    finally:
        if process.poll() is None:
            served = psutil.Process(process.pid).children()[0] if under else process
            served.terminate()
            try:
                process.wait(PATIENCE_S)
            finally:
                process.kill()
        process.stdout.close()
        process.wait()


def run(
    *arguments: str, input_: str | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`comp-pool` with these arguments, to its end."""
    return subprocess.run(
        command(*arguments), input=input_, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@contextmanager
def started(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """`comp-pool` with these arguments, while the block runs; killed at its end if it has not ended."""
    process = subprocess.Popen(
        command(*arguments),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def command_line(process: psutil.Process) -> str:
    """What a process was started with; empty when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def processes_under(directory: Path) -> list[psutil.Process]:
    """The processes whose command line names a directory: an embedded engine is one."""
    return [each for each in psutil.process_iter() if str(directory) in command_line(each)]


def descendants(pid: int) -> list[psutil.Process]:
    """The processes that one started, and those that these started."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one whose end nobody has asked for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
