"""Every command as far as it needs no server: what it prints, and with which exit code."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click import Context, Option
from click.testing import CliRunner, Result
from graphql import build_schema

from cli.group import COMMANDS, commands
from server.settings import Settings


def run(*arguments: str, input_: str | None = None) -> Result:
    return CliRunner().invoke(commands, arguments, input=input_, prog_name="comp-pool")


def test_help_names_every_command_and_says_what_it_is_for() -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert name in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0
    command = commands.get_command(Context(commands), name)
    assert command is not None
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, Option):
            assert parameter.help, f"{name} {parameter.name}"


def test_serve_has_an_option_for_every_setting() -> None:
    shown = run("serve", "--help").output
    for name, setting in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert setting.description


def test_schema_prints_sdl_that_can_be_built() -> None:
    printed = run("schema")
    assert printed.exit_code == 0
    assert "claimTasks" in build_schema(printed.output).mutation_type.fields  # type: ignore[union-attr]


def test_routes_lists_method_path_operation_field_and_contract_lines() -> None:
    listed = json.loads(run("routes", "--json").output)
    [job] = [each for each in listed if (each["method"], each["path"]) == ("GET", "/jobs/{job_key}")]
    assert (job["operation"], job["field"]) == ("job", "Query.job")
    assert {1, 4, 9} <= set(job["contract"])
    plain = run("routes").output.splitlines()
    assert len(plain) == len(listed) + 1
    assert plain[0].split() == ["METHOD", "PATH", "OPERATION", "GRAPHQL", "FIELD", "CONTRACT"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve", "--port", "99999"], "--port: input should be less than or equal to 65535, got '99999'"),
        (["serve", "--workers", "none"], "--workers: input should be a valid integer"),
        (["serve", "--auth", "none"], "--auth: input should be 'open' or 'tokens', got 'none'"),
        (["work"], "Missing argument 'URL'"),
        (["work", "http://pool.example", "--concurrency", "0"], "0 is not in the range"),
        (["load"], "Missing argument 'FILE...'"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_with_exit_code_2(arguments: Sequence[str], complaint: str) -> None:
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_in_the_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_POOL_PORT", "many")
    ended = run("serve")
    assert ended.exit_code == 2
    assert "COMP_POOL_PORT: input should be a valid integer" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "input_", "complaint"),
    [
        (["load", "nowhere.yaml"], None, "nowhere.yaml can't be read: No such file or directory"),
        (["load", "-"], "jobs: 5", "standard input: a list `jobs` was expected"),
        (
            ["load", "-", "--url", "127.0.0.1:1", "--wait", "0"],
            "jobs: [{name: a, executeFunction: b}]",
            "can't be reached",
        ),
        (
            ["serve", "--database", "mongodb://host:port"],
            None,
            "The database's URI is wrong: Port contains non-digit characters",
        ),
    ],
)
def test_a_failure_is_one_line_with_exit_code_1(
    arguments: Sequence[str], input_: str | None, complaint: str, tmp_path: Path
) -> None:
    ended = run(*arguments, input_=input_)
    assert ended.exit_code == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    assert complaint in line
