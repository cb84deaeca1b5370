"""A retry keeps what completed, and runs again what did not."""

import orjson

from resolvers.flows import control, reading
from resolvers.runtime import Runtime
from resolvers.volunteers import reports
from storage import Flow, FlowState, NodeState, UnitState, Verdict
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Condition, Job, Level
from tests.resolvers.flows.one_host import claim, report_all, work
from tests.resolvers.flows.shapes import BROKEN, ONE, TWO_LEVELS
from tests.resolvers.flows.written import below


async def test_a_retry_does_not_take_what_was_leased_before_it(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    claimed = await claim(runtime)
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    [receipt] = await report_all(runtime, claimed)
    assert receipt.result is not None
    assert receipt.result.verdict == Verdict.TOO_LATE
    assert (await reading.get(runtime, flow.key)).state == FlowState.RUNNING
    ended = await work(runtime, flow)
    assert (ended.state, ended.generation) == (FlowState.COMPLETED, 1)


async def test_a_retry_keeps_what_completed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("broken", policy={"max_errors": 1})], [TWO_LEVELS]))
    assert (await work(runtime, flow)).state == FlowState.FAILED
    before = [each for each in await jobs_of(runtime, flow) if each.state == NodeState.COMPLETED]
    assert len(before) == 3
    again = await control.retry(runtime, flow.key)
    assert (again.state, again.generation, again.reason, again.finished_at) == (FlowState.RUNNING, 1, "", 0)
    assert await jobs_of(runtime, flow) == [(await jobs_of(runtime, flow))[0], *before]
    [claimed] = await claim(runtime)
    assert claimed.job.key == "broken"
    await reports.submit(runtime, "ann", [reports.Report(claimed.task.id, claimed.task.lease, 7)])
    ended = await reading.get(runtime, flow.key)
    assert (ended.state, orjson.loads(ended.result)) == (FlowState.COMPLETED, {"broken": 7})


async def test_every_retry_is_a_generation(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, TWO_LEVELS)
    for generation in (1, 2, 3):
        await control.cancel(runtime, flow.key)
        assert (await control.retry(runtime, flow.key)).generation == generation
    assert {each.generation for each in await jobs_of(runtime, flow)} == {3}
    assert (await work(runtime, flow)).state == FlowState.COMPLETED


async def test_a_retry_goes_on_with_a_while_where_it_was(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("count", "only", repeat=below(5))]))
    for _ in range(2):
        await report_all(runtime, await claim(runtime))
    await claim(runtime)
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    [claimed] = await claim(runtime)
    assert orjson.loads(claimed.unit.context) == {"result": 2}
    await report_all(runtime, [claimed])
    ended = await work(runtime, flow)
    assert orjson.loads(ended.result) == {"count": 5}
    [flow_job] = await jobs_of(runtime, flow)
    runs = await reading.runs_page(runtime, flow_job, first=100)
    assert [(run.generation, run.iteration, run.state) for run in runs] == [
        (0, 0, UnitState.DONE),
        (0, 1, UnitState.DONE),
        (0, 2, UnitState.CANCELLED),
        *((1, iteration, UnitState.DONE) for iteration in (2, 3, 4)),
    ]


TOO_EARLY = Condition("() => { throw new Error('too early'); }", lambda variable, context: True)
"""What a condition may do that depends on more than it is given, as it must not: `_turn_to` is when that changes."""


async def _turn_to(runtime: Runtime, flow: Flow, **sources: str) -> None:
    """From now on the conditions of the flow's jobs are these."""
    for each in await jobs_of(runtime, flow):
        await runtime.store.flow_jobs.set(each.id, sources)


async def test_a_retry_evaluates_an_if_again_that_failed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three", condition=TOO_EARLY)]))
    for generation in (1, 2):
        flow = await reading.get(runtime, flow.key)
        assert flow.state == FlowState.FAILED
        assert "its `if` failed: " in flow.reason
        assert "too early" in flow.reason
        if generation == 2:
            await _turn_to(runtime, flow, condition="() => true")
        assert (await control.retry(runtime, flow.key)).generation == generation
    assert (await work(runtime, flow)).state == FlowState.COMPLETED


async def test_a_retry_runs_a_job_again_whose_while_failed(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("count", "only", repeat=TOO_EARLY, policy={"max_iterations": 2})]))
    for generation in (1, 2):
        flow = await work(runtime, flow)
        assert "its `while` failed: " in flow.reason
        retried = await control.retry(runtime, flow.key)
        assert (retried.state, retried.generation) == (FlowState.RUNNING, generation)
    await _turn_to(runtime, flow, repeat="() => true")
    flow = await work(runtime, flow)
    assert "its `while` still held after 2 runs" in flow.reason


async def test_a_job_that_failed_is_done_with_where_the_flow_continues(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, BROKEN, keep_going=True)
    first = await claim(runtime)
    await report_all(runtime, [each for each in first if each.job.key == "broken"])
    await control.cancel(runtime, flow.key)
    await control.retry(runtime, flow.key)
    ended = await work(runtime, flow)
    assert ended.state == FlowState.COMPLETED
    assert [each.state for each in await jobs_of(runtime, flow)] == [NodeState.FAILED, NodeState.COMPLETED]
