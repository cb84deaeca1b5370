"""`comp-pool flow` against a server: what it prints, and with which exit code."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from cli.flow_picture import FlowPicture
from cli.group import commands
from comp_pool import PoolClient, PoolUnavailable
from comp_pool.files import FileProblem
from comp_pool.flows import FlowUpdate, read_flow
from tests.processes import running_server, started
from tests.volunteer.work import CREATE_JOB, CREATE_VARIABLES, SQUARE
from volunteer.calls import LeasedTask, PoolCalls, Report

ONE = {"name": "one", "jobs": [{"job": "square", "variable": "three"}]}
TREE = {
    "name": "tree",
    "owner": "me",
    "jobs": [{"job": "square", "variable": "three", "as": "last"}],
    "dependent": [{"jobs": [{"job": "square", "variable": "two"}, {"job": "square", "variable": "three"}]}],
}
BROKEN = {"jobs": [{"job": "broken", "policy": {"maxErrors": 1}}]}
KEY = r"[0-9a-f]{32}"


@pytest.fixture(scope="module")
def pool() -> Iterator[str]:
    """The address of a pool with the jobs `square` and `broken`."""
    with running_server("memory") as server:
        asyncio.run(_fill(server.url))
        yield server.url


async def _fill(url: str) -> None:
    async with PoolClient(url) as client:
        await client.mutate(CREATE_JOB, name="Broken", executeFunction="() => { throw new Error('no'); }")
        await client.mutate(CREATE_JOB, name="Square", executeFunction=SQUARE)
        variables = [{"id": "two", "value": 2}, {"id": "three", "value": 3}]
        await client.mutate(CREATE_VARIABLES, job="square", variables=variables)


@contextmanager
def volunteer(url: str) -> Iterator[None]:
    """A host that computes flows' jobs while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_work(url, over)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


async def _work(url: str, over: threading.Event) -> None:
    async with PoolClient(url) as client:
        calls, host = PoolCalls(client), ""
        while not over.is_set():
            claim = await calls.claim(host=host, name="", first=10, wanted={})
            host = claim.host
            if claim.tasks:
                await calls.submit(host, [_computed(task) for task in claim.tasks])
            await asyncio.sleep(0.05)


def _computed(task: LeasedTask) -> Report:
    if task.job == "broken":
        return Report(task, 1, error="no")
    return Report(task, 1, value=task.variable**2, context=task.context)


def run(pool: str, *arguments: str, input_: str | None = None, env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(commands, ["flow", *arguments, "--url", pool], input=input_, env=env)


def submit(pool: str, flow: Mapping[str, Any], *options: str) -> Result:
    return run(pool, "submit", "-", *options, input_=json.dumps(flow))


def key_of(result: Result) -> str:
    found = re.match(f"flow ({KEY}) ", result.stdout)
    assert found, result.output
    return found[1]


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def failure(result: Result) -> str:
    """The one line of a command that failed."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


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


def test_watching_ends_with_the_result_and_exit_code_0(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, TREE, "--watch")
    assert watched.exit_code == 0, watched.output
    first, *progress, opening, last, closing = watched.stdout.splitlines()
    assert first.endswith("(jobs: 3, levels: 2)")
    assert [opening, last, closing] == ["{", '  "last": 9', "}"]
    assert progress[-1] == "COMPLETED: 100% of 3 (3 completed)"
    for line in progress:
        assert re.fullmatch(r"(RUNNING|COMPLETED): \d+% of 3 \((\d+ \w+(, )?)+\)(: .+)?", line), line
    assert len(set(progress)) == len(progress)


def test_programs_that_watch_get_a_line_for_each_update(pool: str) -> None:
    with volunteer(pool):
        stored, *deltas = lines(submit(pool, ONE, "--watch", "--json"))
    assert stored["jobCount"] == 1
    assert deltas[0]["reset"]
    assert {each["flow"]["key"] for each in deltas} == {stored["key"]}
    assert (deltas[-1]["state"], deltas[-1]["flow"]["result"]) == ("COMPLETED", {"square": 9})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_watching_a_flow_that_fails_ends_with_exit_code_1(pool: str, options: Sequence[str]) -> None:
    with volunteer(pool):
        watched = submit(pool, BROKEN, "--watch", *options)
    assert watched.exit_code == 1
    if options:
        assert lines(watched)[-1]["state"] == "FAILED"
        assert watched.stderr == ""
    else:
        why, end = watched.stderr.splitlines()
        assert why.startswith("job 0, broken, failed: its failed results reached")
        assert end.startswith("FAILED: its job 'broken' failed: ")
        assert "whyWaiting" not in watched.stdout


def test_a_flow_that_went_on_without_a_job_says_why_that_failed(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, {**BROKEN, "onFailure": "CONTINUE"}, "--watch")
    assert (watched.exit_code, watched.stdout.splitlines()[-1]) == (0, "{}")
    assert watched.stderr.endswith("the last one: the computation failed: no\n")


def test_without_a_terminal_it_is_said_what_a_flow_waits_for(pool: str) -> None:
    key = key_of(submit(pool, {**ONE, "owner": "somebody"}))
    with started("flow", "watch", key, "--url", pool) as watching:
        assert watching.stdout is not None
        line = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate(timeout=30)
    assert line.startswith("RUNNING: 0% of 1 (1 queued): ")
    assert "volunteer" in line
    assert watching.returncode == 130
    assert f"watch it with `comp-pool flow watch {key}`" in said
    assert run(pool, "cancel", key).exit_code == 0


def test_a_pool_that_is_lost_for_good_is_no_flow_that_failed(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_lost(*_: object, **__: object) -> AsyncIterator[FlowUpdate]:
        for problem in [PoolUnavailable("it is gone")]:
            raise problem
        yield FlowUpdate({}, None)

    monkeypatch.setattr("cli.flow_watching.watch_flow", is_lost)
    watched = run(pool, "watch", "0" * 32)
    assert watched.exit_code == 3
    assert watched.stderr.startswith("Error: it is gone. The flow may go on: watch it with")


def test_a_lost_connection_is_told_and_taken_up_again(tmp_path: Path) -> None:
    with running_server(tmp_path / "pool") as first:
        asyncio.run(_fill(first.url))
        key = key_of(submit(first.url, ONE))
        with started("flow", "watch", key, "--url", first.url) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            first.stop(signal.SIGKILL)
            assert watching.stdout.readline().endswith("; trying again\n")
            with running_server(tmp_path / "pool", port=first.port) as second, volunteer(second.url):
                said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert said.endswith('{\n  "square": 9\n}\n')


def test_a_flow_can_be_watched_after_its_end(pool: str) -> None:
    with volunteer(pool):
        key = key_of(submit(pool, ONE, "--watch"))
    watched = run(pool, "watch", key)
    assert watched.exit_code == 0
    assert watched.stdout == 'COMPLETED: 100% of 1 (1 completed)\n{\n  "square": 9\n}\n'
    cancelled = key_of(submit(pool, ONE))
    run(pool, "cancel", cancelled)
    watched = run(pool, "watch", cancelled)
    assert (watched.exit_code, watched.stderr) == (1, "CANCELLED: its owner cancelled it\n")


def test_at_a_terminal_the_tree_is_drawn_with_a_bar_for_each_level(pool: str) -> None:
    with volunteer(pool):
        watched = submit(pool, TREE, "--watch")
        drawn = run(pool, "watch", key_of(watched), env={"FORCE_COLOR": "1", "COLUMNS": "120"})
    assert drawn.exit_code == 0
    assert "COMPLETED" in drawn.stdout
    assert "100% of 3" in drawn.stdout
    assert "2 completed" in drawn.stdout
    assert "━" in drawn.stdout
    assert drawn.stdout.endswith('{\n  "last": 9\n}\n')


def test_submitting_again_with_the_same_key_answers_the_same_flow(pool: str) -> None:
    first, again = (key_of(submit(pool, ONE, "--key", "once")) for _ in range(2))
    assert first == again
    refused = failure(submit(pool, TREE | {"owner": ""}, "--key", "once"))
    assert refused == "idempotencyKey: the idempotency key 'once' came before with another flow"


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


def _level(number: int, states: Sequence[str], *dependent: dict[str, Any]) -> dict[str, Any]:
    jobs = [{"id": f"{number * 100 + at}", "as": f"job{at}", "state": state} for at, state in enumerate(states)]
    return {"id": str(number), "jobs": jobs, "dependent": list(dependent)}


def _delta(*changed: tuple[int, str], state: str = "RUNNING", waits: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "state": state,
        "progress": {"fraction": 0.25, "total": 8, "throughput": 1.5, "etaSeconds": 4.2},
        "changed": [{"number": number, "state": state, "iteration": 0} for number, state in changed],
        "flow": {"key": "k", "name": "picture", "whyWaiting": [{"message": message} for message in waits]},
    }


def drawn(picture: FlowPicture) -> list[str]:
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as shown:
        console.print(picture)
    return [line.rstrip() for line in shown.get().splitlines()]


def test_a_picture_shows_levels_with_their_jobs_and_states() -> None:
    picture = FlowPicture()
    assert drawn(picture) == ["waiting for the flow..."]
    tree = _level(0, ["WAITING"], _level(1, ["RUNNING"] * 2 + ["COMPLETED"] * 2), _level(2, ["FAILED", "SKIPPED"]))
    picture.update(FlowUpdate(_delta(waits=["2 tasks being computed"]), tree))
    headline, root, one, two, wait = drawn(picture)
    assert re.fullmatch(r"picture +RUNNING +\S* +25% of 8 +1\.5/s +about 4 s left", headline)
    assert root.endswith(" job0 1 waiting")
    assert one.startswith("├── ")
    assert one.endswith(" job0, job1, job2, ... 2 completed 2 running")
    assert two.startswith("└── ")
    assert two.endswith(" job0, job1 1 failed 1 skipped")
    assert wait == "  2 tasks being computed"
    picture.update(FlowUpdate(_delta((100, "COMPLETED"), (0, "QUEUED"), (999, "FAILED"), state="PAUSED"), None))
    headline, root, one, _ = drawn(picture)
    assert "left" not in headline
    assert root.endswith(" 1 queued")
    assert one.endswith(" 3 completed 1 running")


@pytest.mark.parametrize(("below", "hidden"), [(20, False), (21, True), (500, True)])
@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_shows_twenty_levels_below_the_root_and_says_if_there_are_more(
    below: int, hidden: bool, deep: bool
) -> None:
    if deep:
        root = _level(below, ["WAITING"])
        for number in reversed(range(below)):
            root = _level(number, ["WAITING"], root)
    else:
        root = _level(0, ["WAITING"], *(_level(number, ["WAITING"]) for number in range(1, below + 1)))
    picture = FlowPicture()
    picture.update(FlowUpdate(_delta(), root))
    shown = drawn(picture)
    assert (shown[-1] == "(more levels are not shown)") is hidden
    assert len(shown) == 1 + 21 + hidden
