"""What a flow asks of its jobs' results goes before what the jobs ask."""

import orjson
import pytest

from resolvers.flows import reading
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import leases
from storage import FlowState, NodeState, UnitState
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.known_hosts import claim, report_all
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written
from tests.resolvers.flows.written import below
from tests.resolvers.playing import Clock, leases_of


async def test_a_flow_may_ask_for_a_larger_quorum_than_its_job(runtime: Runtime) -> None:
    await open_pool(runtime, quorum=1)
    flow = await submit(runtime, Written([Job("number", "three", policy={"quorum": 2}), Job("number", "three")]))
    for host, state in (("ann", FlowState.RUNNING), ("bob", FlowState.COMPLETED)):
        await report_all(runtime, host, await claim(runtime, host, 9))
        assert (await reading.get(runtime, flow.key)).state == state
    found = await jobs_of(runtime, flow)
    runs = [run for each in found for run in await reading.runs_page(runtime, each, first=9)]
    assert [len(await reading.run_results(runtime, run)) for run in runs] == [2, 1]


@pytest.mark.parametrize("own_s", [5, 3_000])
async def test_a_flow_may_give_its_hosts_another_time_than_its_job(runtime: Runtime, clock: Clock, own_s: int) -> None:
    await open_pool(runtime, delay_bound_seconds=60)
    await submit(runtime, Written([Job("number", "three", policy={"delay_bound_seconds": own_s})]))
    [claimed] = await claim(runtime, "ann")
    assert claimed.task.until == clock() + own_s * 1000
    clock.advance(own_s - 1)
    await sweep(runtime)
    assert not await claim(runtime, "bob")
    # A heartbeat is for the same time again.
    [extended] = await leases.extend(runtime, leases_of([claimed]))
    assert extended.task is not None
    assert extended.task.until == clock() + own_s * 1000
    clock.advance(own_s + 1)
    await sweep(runtime)
    assert len(await claim(runtime, "bob")) == 1


@pytest.mark.parametrize("keep_going", [False, True])
async def test_a_while_that_goes_on_past_max_iterations_fails_its_job(runtime: Runtime, keep_going: bool) -> None:
    await open_pool(runtime, max_iterations=50)
    root = Written([Job("count", "only", repeat=below(50), policy={"max_iterations": 4}), Job("number", "three")])
    flow = await submit(runtime, root, keep_going)
    handed_out = 0
    while claimed := await claim(runtime, "ann", 9):
        handed_out += sum(each.job.key == "count" for each in claimed)
        await report_all(runtime, "ann", claimed)
    assert handed_out == 4
    flow = await reading.get(runtime, flow.key)
    counting, plain = await jobs_of(runtime, flow)
    reason = "its `while` still held after 4 runs (max_iterations)"
    assert (counting.state, counting.reason, counting.iteration) == (NodeState.FAILED, reason, 3)
    assert plain.state == NodeState.COMPLETED
    assert flow.state == (FlowState.COMPLETED if keep_going else FlowState.FAILED)
    if keep_going:
        assert orjson.loads(flow.result).keys() == {"number"}
    else:
        assert flow.reason == f"its job 'count' failed: {reason}"
    runs = await reading.runs_page(runtime, counting, first=9)
    assert {run.state for run in runs} == {UnitState.DONE}
