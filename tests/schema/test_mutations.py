"""Mutations: what they do, and for each field of each what bad input comes to - an error, and nothing stored."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.identifiers import VARIABLE_KEY
from schema.machinery.nodes import global_id
from tests.resolvers.playing import DOUBLE
from tests.schema.api import USER_ERRORS, Api, documents

POLICY: dict[str, tuple[int, int]] = {
    "quorum": (1, 20),
    "targetResults": (1, 20),
    "maxErrors": (1, 100),
    "maxTotal": (1, 100),
    "delayBoundSeconds": (1, 2_592_000),
    "maxIterations": (1, 1_000_000),
}
TASK = global_id("Task", "var:double:nothing:0")

bad_code = st.sampled_from(["(", "function (", "return ;;; )", "", " ", "}{", "(variable) => {"])
bad_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=201, max_size=300)
control = st.sampled_from(["a\0", "\x1b[0m", "\x07"])
out_of = {
    name: st.integers(-(2**31), least - 1) | st.integers(most + 1, 2**31 - 1) for name, (least, most) in POLICY.items()
}
no_object: st.SearchStrategy[Any] = st.integers() | st.lists(st.integers(), max_size=2) | st.text(max_size=3)
bad_ids = st.text(max_size=10).filter(lambda text: not VARIABLE_KEY.fullmatch(text)) | st.just("x" * 129)
bad_keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: text != "double")
bad_tasks = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just(global_id("Job", "double"))
bad_tokens = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
good: dict[str, dict[str, Any]] = {
    "createJob": {"name": "another", "executeFunction": DOUBLE},
    "updateJob": {"job": "double"},
    "archiveJob": {"job": "double"},
    "createVariables": {"job": "double", "variables": [{"value": 1}]},
    "createResult": {"job": "double", "variable": "there", "value": 1},
    "claimTasks": {},
    "extendLease": {"tasks": [{"task": TASK, "lease": "token"}]},
    "releaseTasks": {"tasks": [{"task": TASK, "lease": "token"}]},
    "submitResults": {"results": [{"task": TASK, "lease": "token", "value": 1}]},
}

# The mutation, the path of the field, and what is wrong with it.
BAD: list[tuple[str, str, st.SearchStrategy[Any]]] = [
    ("createJob", "name", bad_texts | control | st.sampled_from(["", "!!!", "scheduler", "Scheduled", "double"])),
    ("createJob", "executeFunction", bad_code),
    ("createJob", "validateResult", bad_code.filter(bool)),
    ("createJob", "variableScheduler", bad_code.filter(bool)),
    ("createJob", "compareResults", bad_code.filter(bool)),
    ("createJob", "metadata", no_object | st.just({"key": "x" * 64_000})),
    ("createJob", "metadata.owner", st.integers() | bad_texts | control),
    ("createJob", "metadata.description", no_object | st.just({"en": 1})),
    *(("createJob", f"policy.{name}", values) for name, values in out_of.items()),
    ("createJob", "idempotencyKey", bad_texts | control),
    ("updateJob", "job", bad_keys),
    ("updateJob", "metadata", no_object),
    *(("updateJob", f"policy.{name}", values) for name, values in out_of.items()),
    ("updateJob", "validateResult", bad_code.filter(bool)),
    ("updateJob", "variableScheduler", bad_code.filter(bool)),
    ("updateJob", "compareResults", bad_code.filter(bool)),
    ("archiveJob", "job", bad_keys),
    ("createVariables", "job", bad_keys),
    ("createVariables", "variables", st.just([])),
    ("createVariables", "variables[0].id", bad_ids.filter(bool)),
    ("createVariables", "variables[0].value", st.just("x" * 1_000_000)),
    ("createVariables", "idempotencyKey", bad_texts | control),
    ("createResult", "job", bad_keys),
    ("createResult", "variable", bad_keys.filter(lambda text: text != "there")),
    ("createResult", "value", st.just("x" * 1_000_000)),
    ("claimTasks", "first", st.integers(-(2**31), 0) | st.integers(101, 2**31 - 1)),
    ("claimTasks", "host", bad_tokens.filter(bool)),
    ("claimTasks", "hostName", bad_texts | control),
    ("claimTasks", "idempotencyKey", bad_texts | control),
    ("claimTasks", "scheduler", bad_keys.filter(bool)),
    ("claimTasks", "jobs", st.just(["x"] * 1 + [f"j{n}" for n in range(101)]) | control.map(lambda text: [text])),
    ("claimTasks", "owners", st.just([f"o{n}" for n in range(101)]) | control.map(lambda text: [text])),
    ("extendLease", "tasks", st.just([])),
    ("extendLease", "tasks[0].task", bad_tasks),
    ("extendLease", "tasks[0].lease", bad_tokens),
    ("releaseTasks", "tasks", st.just([])),
    ("releaseTasks", "tasks[0].task", bad_tasks),
    ("submitResults", "host", bad_tokens),
    ("submitResults", "results", st.just([])),
    ("submitResults", "results[0].task", bad_tasks),
    ("submitResults", "results[0].lease", bad_tokens),
    ("submitResults", "results[0].value", st.just("x" * 1_000_000)),
    ("submitResults", "results[0].context", no_object),
    ("submitResults", "results[0].elapsedMilliseconds", st.integers(-(2**31), -1)),
]
# The errors of a lease name the task or the lease of it, whichever the pool looks at first.
WHERE = {"tasks[0].task": "tasks[0]", "tasks[0].lease": "tasks[0]", "results[0].task": "results[0]"}


def _with(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of an input with one value of it replaced."""
    name, _, rest = path.partition(".")
    if name.endswith("[0]"):
        name = name.removesuffix("[0]")
        [member] = given[name]
        return {**given, name: [_with(member, rest, value)]}
    return {**given, name: _with(given.get(name, {}), rest, value) if rest else value}


async def _prepared(api: Api) -> None:
    await api.mutate("createJob", "job { key }", name="double", executeFunction=DOUBLE)
    await api.mutate("createVariables", "variables { key }", job="double", variables=[{"id": "there", "value": 1}])


@pytest.mark.parametrize(("name", "path", "values"), BAD, ids=[f"{name}-{path}" for name, path, _ in BAD])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_bad_input_is_told_by_its_field_and_nothing_is_stored(
    api: Api, name: str, path: str, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    await _prepared(api)
    given = good[name]
    if name == "submitResults":
        given = {**given, "host": (await api.done("claimTasks", "host", jobs=["none"]))["host"]}
    given = _with(given, path, data.draw(values))
    job = await api.runtime.store.jobs.by_key("double")
    before = await documents(api.runtime.store)
    kind = f"{name[0].upper()}{name[1:]}Input"
    answer = await api.answer(
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {USER_ERRORS} }} }}", input=given
    )
    after = await documents(api.runtime.store)
    if name == "createResult":  # The host at the address is noted.
        before.pop("hosts"), after.pop("hosts")
    assert after == before
    assert await api.runtime.store.jobs.by_key("double") == job
    if answer["errors"]:  # The scalar itself refuses what is too large.
        [error] = answer["errors"]
        assert error.get("extensions", {}).get("code") != "INTERNAL"
        assert "value" in error["message"]
        return
    [error] = answer["data"][name]["userErrors"]
    assert error["code"] != "INTERNAL"
    assert error["message"]
    assert (error["field"] or "").startswith(WHERE.get(path, path)), error


async def test_a_job_is_submitted_changed_and_archived(api: Api) -> None:
    made = await api.done(
        "createJob",
        'job { key state policy { quorum targetResults } metadata description(locale: "es-MX") }',
        name="Double it",
        executeFunction=DOUBLE,
        metadata={"description": {"en": "Doubles", "es": "Dobla"}, "$any": {"a.b": 1}},
        policy={"quorum": 2},
    )
    assert made["job"] == {
        "key": "double-it",
        "state": "ACTIVE",
        "policy": {"quorum": 2, "targetResults": 2},
        "metadata": {"description": {"en": "Doubles", "es": "Dobla"}, "$any": {"a.b": 1}},
        "description": "Dobla",
    }
    changed = await api.done(
        "updateJob", "job { policy { quorum maxErrors } }", job="double-it", policy={"maxErrors": 9}
    )
    assert changed["job"]["policy"] == {"quorum": 2, "maxErrors": 9}
    archived = await api.done("archiveJob", "job { state }", job="double-it")
    assert archived["job"]["state"] == "ARCHIVED"
    assert (await api("{ jobs { nodes { key } } }"))["jobs"]["nodes"] == []


async def test_a_volunteer_claims_extends_submits_and_releases(api: Api) -> None:
    await _prepared(api)
    await api.done("createVariables", "variables { key }", job="double", variables=[{"value": 5}])
    wanted = "host retryAfterSeconds whyNoWork tasks { id variable context lease { token attempt } job { key sha256 } }"
    claimed = await api.done("claimTasks", wanted, first=2, hostName="test")
    assert {task["job"]["key"] for task in claimed["tasks"]} == {"double"}
    held = [{"task": task["id"], "lease": task["lease"]["token"]} for task in claimed["tasks"]]
    mixed = [held[0], {**held[1], "lease": "another"}]
    extended = await api.mutate("extendLease", "leases { token }", tasks=mixed)
    assert [lease and lease["token"] for lease in extended["leases"]] == [held[0]["lease"], None]
    assert [(error["field"], error["code"]) for error in extended["userErrors"]] == [("tasks[1]", "LEASE_LOST")]
    sent = await api.done(
        "submitResults",
        "results { value verdict elapsedMilliseconds host { name valid } }",
        host=claimed["host"],
        results=[{**held[0], "value": claimed["tasks"][0]["variable"] * 2, "elapsedMilliseconds": 3}],
    )
    assert [(each["verdict"], each["elapsedMilliseconds"]) for each in sent["results"]] == [("CANONICAL", 3)]
    assert sent["results"][0]["host"] == {"name": "test", "valid": 1}
    assert (await api.done("releaseTasks", "released", tasks=held))["released"] == 1
    again = await api.done("claimTasks", wanted, host=claimed["host"])
    assert [(task["id"], task["lease"]["attempt"]) for task in again["tasks"]] == [(held[1]["task"], 2)]
    none = await api.done("claimTasks", wanted, host=claimed["host"])
    assert (none["tasks"], none["whyNoWork"], none["retryAfterSeconds"]) == ([], "NO_OPEN_WORK", 5)


async def test_one_of_many_results_that_is_refused_is_null_in_its_place(api: Api) -> None:
    await _prepared(api)
    claimed = await api.done("claimTasks", "host tasks { id lease { token } }")
    [task] = claimed["tasks"]
    held = {"task": task["id"], "lease": task["lease"]["token"]}
    sent = await api.mutate(
        "submitResults",
        "results { verdict }",
        host=claimed["host"],
        results=[{"task": TASK, "lease": "token", "value": 1}, {**held, "value": 2}],
    )
    assert sent["results"] == [None, {"verdict": "CANONICAL"}]
    assert [(error["field"], error["code"]) for error in sent["userErrors"]] == [("results[0].lease", "LEASE_LOST")]


async def test_the_pool_says_what_there_is_to_do(api: Api) -> None:
    await _prepared(api)
    status = await api("{ pool { defaultScheduler schedulers status { tasks { ready leased } hosts } } }")
    assert status["pool"]["schedulers"] == ["oldest", "owners", "random", "shortest"]
    assert status["pool"]["status"] == {"tasks": {"ready": 1, "leased": 0}, "hosts": 0}
