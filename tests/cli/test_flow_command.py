"""`comp-pool flow` against a server: what it prints, and with which exit code."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from comp_pool.files import FileProblem
from comp_pool.flows import read_flow
from tests.cli.flow_command import KEY, ONE, TREE, failure, key_of, lines, run, submit


def test_submitting_a_file_says_the_flows_key_and_size(pool: str, tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text("name: two\njobs: [{job: square, variable: two, if: '() => true'}]\non_failure: CONTINUE\n")
    submitted = run(pool, "submit", str(file))
    assert submitted.exit_code == 0
    assert re.fullmatch(rf"flow {KEY} \(jobs: 1, levels: 1\)\n", submitted.stdout)
    assert re.fullmatch(rf"flow {KEY} \(jobs: 3, levels: 2\)\n", submit(pool, TREE).stdout)


def test_programs_get_the_stored_flow_as_json(pool: str) -> None:
    [stored] = lines(submit(pool, TREE, "--json"))
    assert stored.keys() == {"key", "name", "state", "reason", "result", "jobCount", "levelCount"}
    assert (stored["name"], stored["state"], stored["jobCount"], stored["result"]) == ("tree", "RUNNING", 3, None)


def test_submitting_again_with_the_same_key_answers_the_same_flow(pool: str) -> None:
    first, again = (key_of(submit(pool, ONE, "--key", "once")) for _ in range(2))
    assert first == again
    refused = failure(submit(pool, TREE | {"owner": ""}, "--key", "once"))
    assert refused == "idempotencyKey: the idempotency key 'once' came before with another request"


def test_an_owner_steers_a_flow(pool: str) -> None:
    key = key_of(submit(pool, ONE))
    for act, state in (("pause", "PAUSED"), ("resume", "RUNNING"), ("cancel", "CANCELLED"), ("retry", "RUNNING")):
        steered = run(pool, act, key)
        assert (steered.exit_code, steered.stdout) == (0, f"flow {key}: {state}\n")
    [stored] = lines(run(pool, "cancel", key, "--json"))
    assert (stored["key"], stored["state"], stored["reason"]) == (key, "CANCELLED", "its owner cancelled it")
    refused = failure(run(pool, "pause", key))
    assert refused == "flow: a flow can be paused while it is running; this one is cancelled"


@pytest.mark.parametrize("act", ["watch", "cancel", "pause", "resume", "retry"])
def test_a_flow_that_is_not_there_is_said_so(pool: str, act: str) -> None:
    assert failure(run(pool, act, "nothing")) == "flow: there is no flow 'nothing'"


def test_flows_are_listed_the_newest_first(pool: str) -> None:
    old, new = key_of(submit(pool, TREE)), key_of(submit(pool, {**TREE, "name": "newer"}))
    run(pool, "pause", old)
    listed = run(pool, "list", "--owner", "me")
    assert listed.exit_code == 0
    found = [line.split() for line in listed.stdout.splitlines()]
    assert [line[0] for line in found if line[0] in (old, new)] == [new, old]
    assert found[0] == [new, "RUNNING", "0%", "of", "3", "newer"]
    paused = [line.split()[0] for line in run(pool, "list", "--state", "paused").stdout.splitlines()]
    assert old in paused
    assert new not in paused
    [told] = [each for each in lines(run(pool, "list", "--json")) if each["key"] == new]
    assert told.keys() == {"key", "name", "owner", "state", "createdAt", "progress"}
    assert told["progress"] == {"total": 3, "fraction": 0}
    assert run(pool, "list", "--owner", "nobody").stdout == ""
    unknown = run(pool, "list", "--state", "sleeping")
    assert unknown.exit_code == 2
    assert "'sleeping' is not one of 'pending', 'running'" in unknown.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff", "can't be read: it is not UTF-8"),
        (b"jobs: [", "can't be read: while parsing a flow"),
        (b"", "holds no flow: an object with a list `jobs` was expected"),
        (b"[1, 2]", "holds no flow: an object with a list `jobs` was expected"),
        (b"name: no jobs", "holds no flow: an object with a list `jobs` was expected"),
    ],
)
def test_a_file_without_a_flow_is_said_so(pool: str, tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "flow.yaml"
    file.write_bytes(content)
    assert failure(run(pool, "submit", str(file))).startswith(f"{file} {complaint}")


def test_a_file_that_is_missing_is_said_so(pool: str, tmp_path: Path) -> None:
    assert (
        failure(run(pool, "submit", f"{tmp_path}/none")) == f"{tmp_path}/none can't be read: No such file or directory"
    )
    assert failure(run(pool, "submit", str(tmp_path))) == f"{tmp_path} can't be read: Is a directory"


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"job": "nothing"}, "job: there is no job with the key 'nothing'"),
        ({"job": "square", "variable": "nine"}, "variable: the job 'square' has no variable 'nine'"),
        (
            {"job": "square", "if": "(v, c => 1"},
            "if does not parse: Unexpected end of input, or one '}' too many (line 1, column 11)",
        ),
        ({"job": "square", "policy": {"quorum": 0}}, "policy.quorum: a whole number from 1 to 20 was expected, got 0"),
    ],
)
def test_what_is_wrong_with_a_flow_is_named_by_its_place(pool: str, bad: dict[str, Any], complaint: str) -> None:
    flow = {"jobs": [{"job": "square"}], "dependent": {"jobs": [{"job": "square"}, bad]}}
    assert failure(submit(pool, flow)).startswith(f"dependent[0].jobs[1].{complaint}")


def test_a_flow_is_watched_by_its_global_id_too(pool: str) -> None:
    key = key_of(submit(pool, ONE))
    assert run(pool, "cancel", key).exit_code == 0
    global_id = base64.b64encode(f"Flow:{key}".encode()).decode()
    assert "cancelled" in run(pool, "watch", global_id).output.lower()


def test_each_thing_that_is_wrong_with_a_flow_has_its_line(pool: str) -> None:
    flow = {"jobs": [{"job": "square", "variable": "nine"}], "dependent": {"jobs": [{"job": "nothing"}]}}
    refused = submit(pool, flow)
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "Error: dependent[0].jobs[0].job: there is no job with the key 'nothing'",
        "jobs[0].variable: the job 'square' has no variable 'nine'",
    ]


def test_a_field_that_no_flow_has_is_named(pool: str) -> None:
    refused = failure(submit(pool, {"jobs": [{"job": "square", "whilst": "() => true"}]}))
    assert refused.startswith("jobs[0]: Expected value of type 'FlowJobInput' not to include unknown field 'whilst'.")


def test_each_value_of_another_type_has_its_line(pool: str) -> None:
    refused = submit(pool, {"jobs": [{"job": 1, "policy": {"quorum": "two"}}]})
    assert refused.stderr.splitlines() == [
        "Error: jobs[0].job: String cannot represent a non string value: 1",
        "jobs[0].policy.quorum: Int cannot represent non-integer value: 'two'",
    ]


@pytest.mark.parametrize("command", [["submit", "-"], ["list"], ["cancel", "0" * 32]])
def test_a_pool_that_is_away_is_said_so(command: Sequence[str]) -> None:
    assert "127.0.0.1:1 can't be reached" in failure(run("127.0.0.1:1", *command, input_=json.dumps(ONE)))


def test_a_flow_is_read_from_json_and_yaml_in_either_spelling() -> None:
    expected = {"jobs": [{"job": "a", "policy": {"maxErrors": 1}}], "onFailure": "FAIL", "idempotencyKey": "k"}
    yaml = "jobs: [{job: a, policy: {max_errors: 1}}]\non_failure: FAIL\nidempotency_key: k\n"
    assert read_flow("file", yaml) == read_flow("file", json.dumps(expected)) == expected
    with pytest.raises(FileProblem, match=r"^can't be read: "):
        read_flow("file", "{")
