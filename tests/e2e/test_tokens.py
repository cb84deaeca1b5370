"""Accounts and tokens from the command line, with real servers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import HTTP, RunningServer, command, environment, running_server, started, until
from tests.warm_servers import warm_server

SOURCE = "(variable, context) => { context.result = variable * 2; return context; }"
TOKENS = ("--auth", "tokens")


def said(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The lines of JSON that a command writes."""
    ended = subprocess.run(command(*arguments, "--json"), capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def create_job(server: RunningServer, token: str, name: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return HTTP.post(f"{server.url}/jobs", json={"name": name, "execute_function": SOURCE}, headers=headers)


@pytest.mark.parametrize("workers", [1, 2])
def test_starts_show_a_link_until_an_operator_has_followed_it(tmp_path: Path, workers: int) -> None:
    database = tmp_path / "pool"
    with running_server(database, workers=workers, options=TOKENS) as server:
        assert server.said["auth"] == "tokens"
        unused = server.said["operatorLink"]
        assert unused.startswith(f"{server.url}/dashboard#/sign-in?link=cl_")
        assert create_job(server, "", "first").status_code == 401
    with (tmp_path / "log").open("w") as log:
        options = (*TOKENS, "--log-level", "debug")
        with running_server(database, workers=workers, options=options, log=log) as server:
            link = server.said["operatorLink"].rpartition("=")[2]
            for ended in (unused.rpartition("=")[2], link[:-1]):
                assert HTTP.post(f"{server.url}/session", json={"link": ended}).status_code == 401
            assert create_job(server, server.operator_token, "first").status_code == 201
            assert HTTP.post(f"{server.url}/session", json={"link": link}).status_code == 401
    assert link[len("cl_") + 16 :] not in (tmp_path / "log").read_text()
    with running_server(database, workers=workers, options=TOKENS) as server:
        assert "operatorLink" not in server.said
    with running_server(database, workers=workers) as server:
        assert server.said["auth"] == "open"
        assert create_job(server, "", "second").status_code == 201


def test_the_link_is_printed_once_for_whoever_started_the_server(tmp_path: Path) -> None:
    arguments = ("serve", "--database", str(tmp_path / "pool"), "--port", "0", "--host", "0.0.0.0")
    with started(*arguments, "--public-url", "https://example.org/pool/") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
    assert lines[0].startswith("comp-pool is listening on http://0.0.0.0:")
    assert lines[1].startswith("Operator: open https://example.org/pool/dashboard#/sign-in?link=cl_")
    with started(*arguments) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
    assert lines[1].startswith("Operator: open http://127.0.0.1:")


def test_a_page_elsewhere_does_not_follow_it() -> None:
    with warm_server("memory", options=TOKENS) as server:
        link = {"link": server.said["operatorLink"].rpartition("=")[2]}
        refused = HTTP.post(f"{server.url}/session", json=link, headers={"origin": "https://elsewhere.example"})
        assert refused.status_code == 403
        both = HTTP.post(f"{server.url}/session", json={**link, "token": "cp_"})
        assert (both.status_code, both.json()["code"]) == (422, "BAD_INPUT")
        opened = HTTP.post(f"{server.url}/session", json=link, headers={"origin": server.url})
        assert (opened.status_code, opened.json()["account"]) == (201, "operator")


def test_accounts_and_tokens_are_made_listed_and_revoked_while_two_processes_serve(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "pool"))
    with running_server(tmp_path / "pool", workers=2, options=TOKENS) as server:
        [ada] = said("account", "create", "Ada Lovelace", *database)
        assert ada["key"] == "ada-lovelace"
        assert [each["key"] for each in said("account", "list", *database)] == ["operator", "ada-lovelace"]
        [made] = said("token", "create", "ada-lovelace", "--name", "laptop", "--days", "1", *database)
        assert made["scopes"] == ["read", "submit"]
        assert create_job(server, made["text"], "of ada").status_code == 201
        assert HTTP.get(f"{server.url}/jobs/of-ada").json()["owner"] == "ada-lovelace"
        [revoked] = said("token", "revoke", made["key"], *database)
        assert revoked["revokedAt"]
        until(lambda: create_job(server, made["text"], "too late").status_code == 401, "the token ends")
        listed = said("token", "list", "ada-lovelace", *database)
        assert [(each["name"], bool(each["revokedAt"]), "text" in each) for each in listed] == [("laptop", True, False)]


def test_a_store_without_a_server_takes_accounts_and_tokens_too(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "pool"))
    said("account", "create", "Ada", *database)
    [made] = said("token", "create", "ada", "--scope", "operate", *database)
    with warm_server(tmp_path / "pool", options=TOKENS) as server:
        assert "operatorLink" not in server.said
        assert create_job(server, made["text"], "work").status_code == 201


def test_a_store_without_a_server_gives_up_accounts_too(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "pool"))
    for name in ("Ada", "Bob"):
        said("account", "create", name, *database)
    [made] = said("token", "create", "ada", *database)
    assert [each["key"] for each in said("account", "delete", "ada", *database)] == ["ada"]
    assert [each["key"] for each in said("account", "list", *database)] == ["bob"]
    with warm_server(tmp_path / "pool", options=TOKENS) as server:
        assert create_job(server, made["text"], "work").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("token", "create", "nobody"), "there is no account 'nobody'"),
        (("token", "revoke", "nothing"), "there is no token 'nothing'"),
        (("account", "create", "..."), "it needs letters or digits"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    database = ("--database", str(tmp_path / "pool"))
    ended = subprocess.run(command(*arguments, *database), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert complaint in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_commands_show_the_token_that_they_are_given(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps({"jobs": [{"name": "Work", "executeFunction": SOURCE, "variables": [1, 2]}]}))
    flow = tmp_path / "flow.json"
    flow.write_text(json.dumps({"jobs": [{"job": "work"}]}))
    with warm_server(tmp_path / "pool", options=TOKENS) as server:
        token = server.operator_token

        def run(*arguments: str, shown: str = "") -> subprocess.CompletedProcess[str]:
            env = {**environment(tmp_path), **({"COMP_POOL_TOKEN": shown} if shown else {})}
            return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, env=env)

        url = ("--url", server.url)
        refused = run("load", str(jobs), *url)
        assert (refused.returncode, "takes a token" in refused.stderr) == (1, True)
        assert run("load", str(jobs), *url, shown=token).returncode == 0
        assert run("flow", "submit", str(flow), *url).returncode == 1
        submitted = run("flow", "submit", str(flow), *url, "--token", token, "--json")
        assert submitted.returncode == 0, submitted.stderr
        assert run("work", server.url, "--until-idle", "--token", token).returncode == 0
        key = json.loads(submitted.stdout.splitlines()[0])["key"]
        header = {"authorization": f"Bearer {token}"}
        assert HTTP.get(f"{server.url}/flows/{key}", headers=header).json()["state"] == "COMPLETED"
        assert HTTP.get(f"{server.url}/flows/{key}").status_code == 404
        ended = run("work", server.url, "--until-idle", "--token", token[:-1])
        assert (ended.returncode, "knows no such token" in ended.stderr) == (1, True)
