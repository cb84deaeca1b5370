"""What a flow may say, and where in its tree something is wrong with it."""

import random
from contextlib import suppress
from typing import Any

import orjson
import pytest

from resolvers.errors import BadInput, Conflict, ErrorCode, IdempotencyMismatch, PoolError
from resolvers.faults import MOST
from resolvers.flows import control, reading, structure
from resolvers.flows.kind import RunKind
from resolvers.flows.levels import AT_ONCE
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, OnFailure, submit
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from storage import FlowState, NodeState
from tests.resolvers.flows.hive import Volunteers, open_pool
from tests.resolvers.playing import Clock, Died, mortal, process

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


def _chain(levels: int) -> NewLevel:
    root = NewLevel([GOOD])
    for _ in range(levels):
        root = NewLevel([GOOD], [root])
    return root


async def test_a_flow_has_at_most_200_levels_below_its_root(runtime: Runtime) -> None:
    await open_pool(runtime)
    deepest = await submit(runtime, NewFlow(_chain(structure.MOST_DEPTH)))
    assert deepest.levels == structure.MOST_DEPTH + 1
    tree = await reading.tree(runtime, deepest)
    assert tree.count('"dependent"') == deepest.levels
    with pytest.raises(BadInput, match="at most 200 levels below its root") as refused:
        await submit(runtime, NewFlow(_chain(structure.MOST_DEPTH + 1)))
    assert refused.value.field.startswith("dependent[0].dependent[0].")


async def test_of_many_levels_only_the_first_begin_before_the_answer(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, NewFlow(NewLevel([GOOD], [NewLevel([GOOD])] * 100)))
    begun = await runtime.store.levels.count({"flow": flow.id, "state": NodeState.RUNNING})
    assert 0 < begun <= AT_ONCE
    await runtime.settled()
    assert await runtime.store.levels.count({"flow": flow.id, "state": NodeState.RUNNING}) == 100
    assert (await reading.get(runtime, flow.key)).due == 0


async def test_a_flow_has_at_most_as_many_levels_and_jobs_as_are_told(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    monkeypatch.setattr(structure, "MOST_LEVELS", 3)
    monkeypatch.setattr(structure, "MOST_JOBS", 4)
    with pytest.raises(BadInput, match="at most 3 levels"):
        await submit(runtime, NewFlow(NewLevel([GOOD], [NewLevel([GOOD])] * 3)))
    with pytest.raises(BadInput, match="at most 4 jobs, got 5"):
        await submit(runtime, NewFlow(NewLevel([GOOD] * 5)))


async def test_jobs_and_variables_are_named_by_key_or_url(runtime: Runtime) -> None:
    await open_pool(runtime)
    named = [
        NewFlowJob("number", "zero"),
        NewFlowJob("/jobs/number", "/jobs/number/variables/zero"),
        NewFlowJob("http://pool.example/jobs/number", "http://pool.example/jobs/number/variables/zero"),
    ]
    flow = await submit(runtime, NewFlow(NewLevel(named)), HERE)
    for each in await reading.jobs_page(runtime, flow, first=3):
        assert (each.job, each.variable) == ("number", "zero")


async def test_results_get_the_jobs_key_as_their_name_or_the_next_that_is_free(runtime: Runtime) -> None:
    await open_pool(runtime)
    named = [GOOD, NewFlowJob("object"), GOOD, NewFlowJob("object", alias="number-2"), GOOD]
    flow = await submit(runtime, NewFlow(NewLevel(named)))
    found = await reading.jobs_page(runtime, flow, first=9)
    assert [each.alias for each in found] == ["number", "object", "number-3", "number-2", "number-4"]


async def test_the_same_flow_under_one_idempotency_key_is_one_flow(runtime: Runtime) -> None:
    await open_pool(runtime)
    new = NewFlow(NewLevel([GOOD], [NewLevel([GOOD])]), name="once", owner="me", idempotency_key="k")
    first = await submit(runtime, new)
    # Whatever has become of its jobs.
    await jobs.update(runtime, "number", policy={"quorum": 3})
    await jobs.archive(runtime, "number")
    again = await submit(runtime, new)
    assert again.id == first.id
    assert await runtime.store.flow_jobs.count({}) == 2


@pytest.mark.parametrize(
    "other",
    [
        NewFlow(NewLevel([GOOD, GOOD]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k", name="another"),
        NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k", on_failure=OnFailure.CONTINUE),
        NewFlow(NewLevel([NewFlowJob("number", policy={"quorum": 2})]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([GOOD], [NewLevel([GOOD])]), owner="me", idempotency_key="k"),
        NewFlow(NewLevel([NewFlowJob("number", repeat="() => false")]), owner="me", idempotency_key="k"),
    ],
)
async def test_another_flow_under_a_known_idempotency_key_is_refused(runtime: Runtime, other: NewFlow) -> None:
    await open_pool(runtime)
    await submit(runtime, NewFlow(NewLevel([GOOD]), owner="me", idempotency_key="k"))
    with pytest.raises(IdempotencyMismatch) as refused:
        await submit(runtime, other)
    assert refused.value.field == "idempotencyKey"
    assert await runtime.store.flows.count({}) == 1


async def test_owners_have_idempotency_keys_of_their_own(runtime: Runtime) -> None:
    await open_pool(runtime)
    mine, yours = [
        await submit(runtime, NewFlow(NewLevel([GOOD]), owner=owner, idempotency_key="k")) for owner in ("me", "you")
    ]
    assert mine.id != yours.id


async def test_a_flow_that_was_never_submitted_completely_is_cancelled(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_pool(runtime)
    new = NewFlow(NewLevel([GOOD] * 3, [NewLevel([GOOD])]), idempotency_key="k")
    with mortal(monkeypatch) as ending:
        # The flow, half of its levels, and no job.
        ending.operations = 3
        with pytest.raises(Died):
            await submit(runtime, new)
    other = await process(runtime.store.database, runtime.sandbox, clock)
    [flow] = await reading.page(other, first=9)
    assert flow.state == FlowState.NEW
    with pytest.raises(Conflict):
        await control.pause(other, flow.key)
    clock.advance(601)
    await sweep(other)
    flow = await reading.get(other, flow.key)
    assert (flow.state, flow.reason) == (FlowState.CANCELLED, "it was never submitted completely")
    with pytest.raises(Conflict, match="submit it again"):
        await control.retry(other, flow.key)


@pytest.mark.parametrize("survived", range(1, 11))
async def test_the_same_submission_after_it_was_cancelled_for_being_cut_short_has_the_flow_go_on(
    runtime: Runtime, clock: Clock, chance: random.Random, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    await open_pool(runtime)
    new = NewFlow(NewLevel([NewFlowJob("bare")], [NewLevel([GOOD] * 2), NewLevel([GOOD])]), idempotency_key="k")
    for operations in (survived, survived + 3):
        with mortal(monkeypatch) as ending, suppress(Died):
            ending.operations = operations
            await submit(runtime, new)
        clock.advance(601)
        await sweep(runtime)
    flow = await Volunteers(chance).finish(runtime, clock, await submit(runtime, new))
    assert flow.state == FlowState.COMPLETED
    states = [(each.state, each.generation) for each in await reading.jobs_page(runtime, flow, first=9)]
    assert states == [(NodeState.COMPLETED, flow.generation)] * 4
    assert await submit(runtime, new) == flow


async def test_a_flows_policy_overrides_that_of_its_job(runtime: Runtime) -> None:
    await open_pool(runtime, max_errors=7, delay_bound_seconds=99)
    given: dict[str, Any] = {"quorum": 2, "delay_bound_seconds": 5, "max_iterations": 9}
    flow = await submit(runtime, NewFlow(NewLevel([NewFlowJob("number", policy=given)])))
    [flow_job] = await reading.jobs_page(runtime, flow, first=1)
    [run] = await reading.runs_page(runtime, flow_job, first=1)
    assert run.policy["max_errors"] == 7
    assert {name: run.policy[name] for name in given} == given
    assert len(await reading.run_tasks(runtime, run)) == 2


async def test_a_job_without_variables_gets_an_empty_object(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, NewFlow(NewLevel([NewFlowJob("bare")])))
    [flow_job] = await reading.jobs_page(runtime, flow, first=1)
    [run] = await reading.runs_page(runtime, flow_job, first=1)
    assert (orjson.loads(run.value), flow_job.variable) == ({}, "")


async def test_a_variable_that_is_left_out_is_picked_by_the_jobs_scheduler(runtime: Runtime) -> None:
    await jobs.create(
        runtime,
        jobs.NewJob(
            "choosy",
            "return context",
            variable_scheduler="context => context.variables.map(each => each.id).sort().at(-1)",
        ),
    )
    await variables.create_many(runtime, "choosy", [variables.NewVariable(number, f"v{number}") for number in range(5)])
    flow = await submit(runtime, NewFlow(NewLevel([NewFlowJob("choosy")] * 2)))
    for flow_job in await reading.jobs_page(runtime, flow, first=2):
        [run] = await reading.runs_page(runtime, flow_job, first=1)
        assert (flow_job.variable, run.value) == ("v4", "4")


async def test_a_flow_waits_in_the_queues_of_its_jobs(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, NewFlow(NewLevel([GOOD, NewFlowJob("object"), GOOD])))
    assert flow.queues == [RunKind().queue_of("number"), RunKind().queue_of("object")]
