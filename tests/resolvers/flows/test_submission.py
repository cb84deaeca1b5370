"""What a flow may say, and what is stored of it."""

from typing import Any

import orjson
import pytest

from resolvers.errors import BadInput, Conflict
from resolvers.flows import control, reading, structure
from resolvers.flows.kind import RunKind
from resolvers.flows.levels import AT_ONCE
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.flows.submission import NewFlow, submit
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from storage import FlowState, NodeState
from tests.resolvers.flows.hive import open_pool
from tests.resolvers.playing import Clock, Died, mortal, process

HERE = ["pool.example"]
GOOD = NewFlowJob("number")


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
    [flow], _ = await reading.page(other, first=9)
    assert flow.state == FlowState.NEW
    with pytest.raises(Conflict):
        await control.pause(other, flow.key)
    clock.advance(601)
    await sweep(other)
    flow = await reading.get(other, flow.key)
    assert (flow.state, flow.reason) == (FlowState.CANCELLED, "it was never submitted completely")
    with pytest.raises(Conflict, match="submit it again"):
        await control.retry(other, flow.key)


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
