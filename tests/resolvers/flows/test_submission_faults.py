"""What is wrong with a flow is named by its place in the flow's tree."""

import pytest

from resolvers.errors import BadInput, ErrorCode, PoolError
from resolvers.faults import MOST
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, submit
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from tests.resolvers.flows.hive import open_pool

HERE = ["pool.example"]
GOOD = NewFlowJob("number")
DEEP = "dependent[1].dependent[0]."


def _deep(bad: NewFlowJob, *others: NewFlowJob) -> NewLevel:
    """A tree whose `dependent[1].dependent[0].jobs[1]` is the bad one."""
    return NewLevel([GOOD], [NewLevel([GOOD]), NewLevel([GOOD], [NewLevel([GOOD, bad, *others])])])


@pytest.mark.parametrize(
    ("bad", "field", "code", "message"),
    [
        (NewFlowJob("nothing"), "job", "NOT_FOUND", "there is no job with the key 'nothing'"),
        (NewFlowJob("No Key"), "job", "BAD_INPUT", "'No Key' is neither a job's key nor its URL"),
        (NewFlowJob("http://other/jobs/number"), "job", "BAD_INPUT", "is not at this pool"),
        (NewFlowJob("old"), "job", "CONFLICT", "the job 'old' is archived"),
        (NewFlowJob("number", "nine"), "variable", "NOT_FOUND", "the job 'number' has no variable 'nine'"),
        (NewFlowJob("number", "a b"), "variable", "BAD_INPUT", "is neither a variable's id nor its URL"),
        (NewFlowJob("number", "/jobs/object/variables/pair"), "variable", "BAD_INPUT", "not a variable of the job"),
        (NewFlowJob("number", "http://other/jobs/number/variables/zero"), "variable", "BAD_INPUT", "not at this pool"),
        (NewFlowJob("number", condition="(v, c => 1"), "if", "UNPARSABLE_JAVASCRIPT", "line 1, column"),
        (NewFlowJob("number", condition="  "), "if", "UNPARSABLE_JAVASCRIPT", "empty"),
        (NewFlowJob("number", repeat="return (;"), "while", "UNPARSABLE_JAVASCRIPT", "line 1, column"),
        (NewFlowJob("number", alias="x" * 201), "as", "BAD_INPUT", "at most 200 characters"),
        (NewFlowJob("number", alias="a\0"), "as", "BAD_INPUT", "without control characters"),
        (NewFlowJob("number", policy={"quorum": 0}), "policy.quorum", "BAD_INPUT", "from 1 to 20"),
        (
            NewFlowJob("number", policy={"max_iterations": 0}),
            "policy.max_iterations",
            "BAD_INPUT",
            "from 1 to 1,000,000",
        ),
        (
            NewFlowJob("number", policy={"quorum": 4, "max_total": 3}),
            "policy.max_total",
            "BAD_INPUT",
            "can't bring the 4 results",
        ),
    ],
)
async def test_every_problem_names_its_place_in_the_tree(
    runtime: Runtime, bad: NewFlowJob, field: str, code: str, message: str
) -> None:
    await open_pool(runtime)
    await jobs.create(runtime, jobs.NewJob("old", "return context"))
    await jobs.archive(runtime, "old")
    with pytest.raises(PoolError, match=message) as refused:
        await submit(runtime, NewFlow(_deep(bad)), HERE)
    assert refused.value.field == f"{DEEP}jobs[1].{field}"
    assert refused.value.code == ErrorCode(code)
    assert await runtime.store.flows.count({}) == 0
    assert await runtime.store.flow_jobs.count({}) == 0


async def test_all_that_is_wrong_is_told_at_once(runtime: Runtime) -> None:
    await open_pool(runtime)
    wrong = [NewFlowJob("nowhere", "one"), NewFlowJob("number", "nowhere", "(v, c => 1", alias="x" * 201)]
    with pytest.raises(PoolError) as refused:
        await submit(runtime, NewFlow(NewLevel(wrong, [NewLevel([])])))
    assert [fault.field for fault in (refused.value, *refused.value.others)] == [
        "dependent[0].jobs",
        "jobs[0].job",
        "jobs[1].variable",
        "jobs[1].if",
        "jobs[1].as",
    ]


async def test_after_twenty_faults_no_more_are_looked_for(runtime: Runtime) -> None:
    await open_pool(runtime)
    with runtime.store.database.count() as during, pytest.raises(PoolError) as refused:
        await submit(runtime, NewFlow(NewLevel([NewFlowJob("nowhere")] * 1_000)))
    assert len(refused.value.others) == MOST - 1
    assert during.total() <= MOST


async def test_a_name_that_is_not_quite_a_key_is_answered_by_the_key(runtime: Runtime) -> None:
    await open_pool(runtime)
    with pytest.raises(BadInput, match="did you mean 'number'"):
        await submit(runtime, NewFlow(NewLevel([NewFlowJob("Number!")])))


async def test_two_jobs_of_one_level_do_not_share_a_name(runtime: Runtime) -> None:
    await open_pool(runtime)
    with pytest.raises(BadInput, match="two jobs of this level are called 'n'") as refused:
        await submit(runtime, NewFlow(_deep(NewFlowJob("number", alias="n"), NewFlowJob("object", alias="n"))))
    assert refused.value.field == f"{DEEP}jobs[2].as"


@pytest.mark.parametrize(
    ("flow", "field"),
    [
        (NewFlow(NewLevel([])), "jobs"),
        (NewFlow(NewLevel([], [NewLevel([GOOD])])), "jobs"),
        (NewFlow(NewLevel([GOOD], [NewLevel([GOOD]), NewLevel([])])), "dependent[1].jobs"),
        (NewFlow(NewLevel([GOOD]), name="x" * 201), "name"),
        (NewFlow(NewLevel([GOOD]), owner="\x01"), "owner"),
        (NewFlow(NewLevel([GOOD]), idempotency_key="x" * 201), "idempotencyKey"),
    ],
)
async def test_what_is_wrong_with_the_flow_itself_is_named(runtime: Runtime, flow: NewFlow, field: str) -> None:
    await open_pool(runtime)
    with pytest.raises(BadInput) as refused:
        await submit(runtime, flow)
    assert refused.value.field == field
