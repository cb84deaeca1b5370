"""Reviews and blocks with real servers of several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.test_tokens import SOURCE, TOKENS, said
from tests.processes import HTTP, RunningServer, running_server, until

CLAIM = """mutation ($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host whyNoWork tasks { variable } userErrors { message code } } }"""
BLOCK = "mutation ($input: BlockHostInput!) { blockHost(input: $input) { userErrors { message code } } }"
TIMES = 20
"""As many connections in a row reach both processes."""


def ask(server: RunningServer, document: str, token: str = "", **given: Any) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": {"input": given}}
    answer = HTTP.post(f"{server.url}/graphql", json=body, headers={**headers, "connection": "close"}).json()
    [payload] = answer["data"].values()
    assert payload["userErrors"] == []
    return payload


def test_an_account_is_approved_from_the_command_line(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "pool"))
    with running_server(tmp_path / "pool", workers=2, options=(*TOKENS, "--review")) as server:
        said("account", "create", "Ada", *database)
        [token] = said("token", "create", "ada", *database)
        headers = {"authorization": f"Bearer {token['text']}"}
        job = {"name": "Double", "execute_function": SOURCE}
        assert HTTP.post(f"{server.url}/jobs", json=job, headers=headers).status_code == 201
        assert HTTP.post(f"{server.url}/jobs/double/variables", json=4, headers=headers).status_code == 201
        flow = {"jobs": [{"job": "double"}]}
        assert HTTP.post(f"{server.url}/flows", json=flow, headers=headers).status_code == 201
        for _ in range(TIMES):
            assert ask(server, CLAIM)["tasks"] == []
        assert [each["key"] for each in said("account", "approve", "ada", *database)] == ["ada"]
        tasks: list[Any] = []

        def has_both() -> bool:
            tasks.extend(ask(server, CLAIM)["tasks"])
            return len(tasks) == 2

        until(has_both, "the variable and the run")
        assert tasks == [{"variable": 4}] * 2


def test_a_blocked_host_gets_no_work_from_any_process(tmp_path: Path) -> None:
    with running_server(tmp_path / "pool", workers=2, options=TOKENS) as server:
        host = ask(server, CLAIM)["host"]
        ask(server, BLOCK, server.operator_token, host=host.partition(".")[0], reason="It cheats.")

        def is_blocked() -> bool:
            return all(ask(server, CLAIM, host=host)["whyNoWork"] == "BLOCKED" for _ in range(TIMES))

        until(is_blocked, "both processes know of the block")
