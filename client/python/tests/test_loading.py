"""Files of jobs, read and loaded into a real pool."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from comp_pool import PoolClient
from comp_pool.loading import Loaded, Loader, LoadProblem, Workload, read_workload
from comp_pool.loading.entries import with_ids
from tests.volunteer.work import SQUARE, variables_of

FILE = "jobs.yaml"

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def job(**changes: Any) -> dict[str, Any]:
    return {"name": "Squares", "executeFunction": SQUARE, "variables": [1, 2], **changes}


def workload(content: Any, file: str = FILE, directory: Path = Path()) -> Workload:
    text = json.dumps(content) if file.endswith(".json") else yaml.safe_dump(content)
    return read_workload(file, text, directory)


async def load(client: PoolClient, *workloads: Workload, patience_s: float = 0) -> Loaded:
    loader = Loader(client, patience_s=patience_s)
    for each in workloads:
        await loader.load(each)
    return loader.loaded


def counts(loaded: Loaded) -> tuple[int, int, int, int]:
    return len(loaded.jobs), len(loaded.kept_jobs), loaded.variables, loaded.kept_variables


ORIGINAL = {
    "jobs": [
        {
            "_id": {"$oid": "54495ad94c934721ede76d90"},
            "name": "hash-of-hashes",
            "execute_function": "context.result = variable.hash.length; return context;",
            "metadata": {"description": {"en": "A hash"}, "owner": "semprebeta"},
        }
    ],
    "variables": [
        {
            "_id": "test_limit_case",
            "for_jobs": ["hash-of-hashes"],
            "variable": {"hash": "iamdefault", "a.b": {"$c": 1}},
        },
        {"_id": {"$oid": "54495ad94c934721ede76d91"}, "for_job": "hash-of-hashes", "hash": "older"},
    ],
    "results": [{"from_job": "hash-of-hashes", "from_variable": "test_limit_case", "result": 10, "_id": "r1"}],
}


class TestReading:
    @pytest.mark.parametrize("file", ["jobs.yaml", "jobs.json", "standard input"])
    def test_names_are_in_camel_case_or_snake_case(self, file: str) -> None:
        camel = job(validateResult="() => true", policy={"delayBoundSeconds": 5})
        snake = {
            "name": "Squares",
            "execute_function": SQUARE,
            "validate_result": "() => true",
            "policy": {"delay_bound_seconds": 5},
            "variables": [1, 2],
        }
        [one] = workload({"jobs": [camel]}, file).jobs
        [other] = workload({"jobs": [snake]}, file).jobs
        assert one == other
        assert one.input is not None
        assert one.input["policy"] == {"delayBoundSeconds": 5}

    def test_a_source_may_stand_in_a_file_named_relative_to_this_one(self, tmp_path: Path) -> None:
        (tmp_path / "square.js").write_text(SQUARE)
        content = {"jobs": [{"name": "Squares", "executeFunctionFile": "square.js"}]}
        [read] = workload(content, directory=tmp_path).jobs
        assert read.input == {"name": "Squares", "executeFunction": SQUARE}

    def test_an_object_of_id_and_value_is_a_variable_with_its_id_and_any_other_object_is_a_value(self) -> None:
        given_ = [{"id": "one", "value": 1}, {"value": 2}, {"id": "no", "value": 3, "more": 4}, {"x": 5}]
        [read] = workload({"jobs": [job(variables=given_)]}).jobs
        assert [each.value for each in read.variables] == [1, 2, given_[2], {"x": 5}]
        assert read.variables[0].id == "one"

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("{", "jobs.yaml: can't be read"),
            ("[]", "jobs.yaml: a list `jobs` was expected"),
            ("jobs: {}", "jobs.yaml: a list `jobs` was expected"),
            ("jobs: [{}]", r"jobs.yaml: jobs\[0\]: name: "),
            ("jobs: [{name: a}]", "jobs.yaml: job 'a': executeFunction, or executeFunctionFile, is missing"),
            ("jobs: [{name: a, executeFunction: 5}]", "jobs.yaml: job 'a': executeFunction: "),
            ("jobs: [{name: a, executeFunction: x, nmae: b}]", "jobs.yaml: job 'a': nmae: "),
            ("jobs: [{name: a, executeFunction: x, policy: {quorom: 2}}]", "job 'a': policy.quorom: "),
            ("jobs: [{name: a, executeFunctionFile: no.js}]", "job 'a': executeFunctionFile: no.js can't be read"),
            ("jobs: [{name: a, executeFunction: x, executeFunctionFile: y}]", "job 'a': .* are both given"),
            ("jobs: [{name: a, executeFunction: x, variables: [2020-01-01]}]", r"job 'a': variables\[0\]: .* no JSON"),
            ("jobs: [{name: a, executeFunction: x, variables: [.nan]}]", r"job 'a': variables\[0\]: .* no JSON"),
            ("jobs: [{name: a, executeFunction: x, variables: [{1: 2}]}]", r"job 'a': variables\[0\]: .* no JSON"),
            (
                "jobs: [{name: a, executeFunction: x, variables: [{id: 1, value: 2}]}]",
                r"variables\[0\].id: an id is text",
            ),
            ("jobs: []\nvariable: []", "jobs.yaml: variable: is not known"),
            ("jobs: []\nvariables: [{for_job: 5}]", r"variables\[0\].for_jobs: "),
            ("jobs: [{name: a}]\nvariables: []", "job 'a': execute_function: is missing"),
            ("jobs: []\nresults: [{}]", r"results\[0\]: an object with `from_job`"),
        ],
    )
    def test_what_is_wrong_is_said_with_file_job_and_field(self, content: str, complaint: str) -> None:
        with pytest.raises(LoadProblem, match=complaint):
            read_workload(FILE, content, Path("/nowhere"))

    def test_what_the_original_persisted_is_read_in_both_of_its_shapes(self) -> None:
        read = workload(ORIGINAL)
        [only] = read.jobs
        assert only.key == "hash-of-hashes"
        assert [(each.id, each.value) for each in only.variables] == [
            ("test_limit_case", {"hash": "iamdefault", "a.b": {"$c": 1}}),
            ("54495ad94c934721ede76d91", {"hash": "older"}),
        ]
        assert [(each.job, each.variable, each.value) for each in read.results] == [
            ("hash-of-hashes", "test_limit_case", 10)
        ]

    @settings(deadline=None)
    @given(st.lists(JSON, max_size=8), st.lists(JSON, max_size=8))
    def test_ids_that_are_made_are_unique_and_stay_when_a_file_grows(self, values: list[Any], more: list[Any]) -> None:
        def ids(of: list[Any]) -> list[str]:
            return [each.id for each in with_ids("job", [("", value, "") for value in of])]

        longer = ids(values + more)
        assert longer[: len(values)] == ids(values)
        assert len(set(longer)) == len(longer)


class TestLoading:
    async def test_a_file_is_loaded_and_a_second_time_adds_nothing(self, client: PoolClient) -> None:
        content = workload({"jobs": [job(variables=[1, 2, 2, {"id": "x", "value": 3}])]})
        assert counts(await load(client, content)) == (1, 0, 4, 0)
        assert counts(await load(client, content)) == (0, 1, 0, 4)
        assert sorted(each["value"] for each in await variables_of(client, "squares")) == [1, 2, 2, 3]

    async def test_a_longer_file_adds_what_is_new(self, client: PoolClient) -> None:
        await load(client, workload({"jobs": [job(variables=[1, 2])]}))
        assert counts(await load(client, workload({"jobs": [job(variables=[3, 1, 2, 2])]}))) == (0, 1, 2, 2)

    async def test_more_variables_than_go_in_one_call_are_all_loaded(self, client: PoolClient) -> None:
        assert counts(await load(client, workload({"jobs": [job(variables=[*range(1_201)])]}))) == (1, 0, 1_201, 0)

    async def test_a_job_of_the_same_name_with_other_code_is_refused(self, client: PoolClient) -> None:
        await load(client, workload({"jobs": [job()]}))
        with pytest.raises(LoadProblem, match=r"job 'Squares': executeFunction: .* with other code"):
            await load(client, workload({"jobs": [job(executeFunction="() => 1")]}))

    async def test_a_job_whose_validator_differs_is_kept_with_a_warning(self, client: PoolClient) -> None:
        await load(client, workload({"jobs": [job()]}))
        loaded = await load(client, workload({"jobs": [job(validateResult="() => true")]}))
        assert loaded.warnings == ["jobs.yaml: job 'Squares': validateResult: the pool's own, another one, was kept"]

    async def test_another_value_under_an_id_is_refused(self, client: PoolClient) -> None:
        await load(client, workload({"jobs": [job(variables=[{"id": "x", "value": 1}])]}))
        with pytest.raises(LoadProblem, match=r"variables\[1\].id: the pool has another value under the id 'x'"):
            await load(client, workload({"jobs": [job(variables=[5, {"id": "x", "value": 2}])]}))

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"executeFunction": "return ((1"}, "job 'Squares': executeFunction: .*line 1"),
            ({"policy": {"quorum": 99}}, "job 'Squares': policy.quorum: .*from 1 to 20 was expected, got 99"),
            ({"variables": [1, {"id": "a/b", "value": 2}]}, r"job 'Squares': variables\[1\].id: .*'a/b'"),
            ({"validateResult": "(v) => v < 2"}, r"job 'Squares': variables\[1\].value: .*validate_result turned"),
        ],
    )
    async def test_what_the_pool_refuses_is_said_with_file_job_and_field(
        self, client: PoolClient, changes: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(LoadProblem, match=f"jobs.yaml: {complaint}"):
            await load(client, workload({"jobs": [job(**changes)]}))

    async def test_each_variable_that_the_pool_refuses_is_said(self, client: PoolClient) -> None:
        with pytest.raises(LoadProblem) as refused:
            await load(client, workload({"jobs": [job(variables=[1, 2, 3], validateResult="(v) => v === 2")]}))
        for at, problem in zip((0, 2), (refused.value, *refused.value.others), strict=True):
            assert str(problem).startswith(f"jobs.yaml: job 'Squares': variables[{at}].value: ")

    async def test_what_the_original_persisted_is_loaded_with_its_results_once(self, client: PoolClient) -> None:
        loaded = await load(client, workload(ORIGINAL))
        assert (counts(loaded), loaded.results) == ((1, 0, 2, 0), 1)
        loaded = await load(client, workload(ORIGINAL))
        assert (counts(loaded), loaded.results, loaded.kept_results) == ((0, 1, 0, 2), 0, 1)
        found = {each["key"]: each for each in await variables_of(client, "hash-of-hashes")}
        assert found["test_limit_case"]["canonicalResult"]["value"] == 10
        assert len(found["test_limit_case"]["results"]["nodes"]) == 1
        assert found["54495ad94c934721ede76d91"]["state"] == "OPEN"

    async def test_an_answer_that_was_lost_on_the_way_doubles_nothing(
        self, client: PoolClient, pool_transport: httpx.ASGITransport
    ) -> None:
        class LosesEverySecondAnswer(httpx.AsyncBaseTransport):
            calls = 0

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                answer = await pool_transport.handle_async_request(request)
                self.calls += 1
                if self.calls % 2:
                    raise httpx.ReadError("the connection broke")
                return answer

        async with PoolClient("http://pool.example", transport=LosesEverySecondAnswer()) as unlucky:
            await load(unlucky, workload(ORIGINAL), patience_s=60)
        variables = await variables_of(client, "hash-of-hashes")
        assert sorted(len(each["results"]["nodes"]) for each in variables) == [0, 1]

    @pytest.mark.parametrize(("refusals", "is_loaded"), [(1, True), (2, False)])
    async def test_an_account_without_sandbox_seconds_is_waited_for_once(
        self, pool_transport: httpx.ASGITransport, refusals: int, is_loaded: bool
    ) -> None:
        quota = {"field": "variables[0].value", "message": "no time", "code": "QUOTA", "retryAfterSeconds": 0.01}

        class RefusesVariables(httpx.AsyncBaseTransport):
            left = refusals

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if b"createVariables" not in await request.aread() or not self.left:
                    return await pool_transport.handle_async_request(request)
                self.left -= 1
                return httpx.Response(200, json={"data": {"createVariables": {"userErrors": [quota]}}})

        async with PoolClient("http://pool.example", transport=RefusesVariables()) as refused:
            loader = Loader(refused, patience_s=0, minute_s=0)
            if is_loaded:
                await loader.load(workload({"jobs": [job()]}))
            else:
                with pytest.raises(LoadProblem, match="no time"):
                    await loader.load(workload({"jobs": [job()]}))
        assert loader.loaded.variables == 2 * is_loaded
