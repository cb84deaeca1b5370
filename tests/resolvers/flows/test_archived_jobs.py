"""What becomes of a flow when a job that it waits for is archived."""

from collections import Counter
from contextlib import suppress

import pytest

from resolvers.flows import control, reading, waiting
from resolvers.flows.waiting import Wait, WaitKind
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.units.queues import OpenQueues
from storage import FlowState, NodeState
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import claim, report_all, work
from tests.resolvers.flows.shapes import ONE
from tests.resolvers.playing import Clock, Died, mortal


@pytest.mark.parametrize("keep_going", [False, True])
async def test_what_a_flow_wants_of_an_archived_job_fails(runtime: Runtime, keep_going: bool) -> None:
    await open_pool(runtime)
    root = Level([Job("bare", alias="late")], [Level([Job("bare", alias="taken"), Job("number", "zero")])])
    flow = await submit(runtime, root, keep_going=keep_going)
    taken = await claim(runtime, 1, jobs=frozenset({"bare"}))
    await jobs.archive(runtime, "bare")
    await sweep(runtime)
    # What a host had taken before is not lost.
    await report_all(runtime, taken)
    await report_all(runtime, await claim(runtime))
    assert await claim(runtime) == []
    assert await claim(runtime, host="bob") == []
    late = (await waiting.why_flow(runtime, await reading.get(runtime, flow.key)))[0]
    assert late == Wait(WaitKind.ARCHIVED, "the job 'bare' is archived and computes nothing more", 1)
    await sweep(runtime)
    ended = await reading.get(runtime, flow.key)
    assert ended.state == (FlowState.COMPLETED if keep_going else FlowState.FAILED)
    states = {each.alias: (each.state, each.reason) for each in await jobs_of(runtime, flow)}
    assert states["late"] == (NodeState.FAILED, "the job 'bare' is archived and computes nothing more")
    assert states["taken"][0] == NodeState.COMPLETED
    if not keep_going:
        assert ended.reason == "its job 'late' failed: the job 'bare' is archived and computes nothing more"


async def test_a_paused_flow_learns_of_an_archived_job_once_it_goes_on(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    await control.pause(runtime, flow.key)
    await jobs.archive(runtime, "number")
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).state == FlowState.PAUSED
    await control.resume(runtime, flow.key)
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).state == FlowState.FAILED
    await control.retry(runtime, flow.key)
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).reason.endswith("is archived and computes nothing more")


@pytest.mark.parametrize("survived", range(0, 40, 3))
async def test_an_archived_job_ends_its_flow_wherever_a_sweep_ended(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three")] * 3, [Level([Job("bare")] * 2)]), keep_going=True)
    await jobs.archive(runtime, "bare")
    with mortal(monkeypatch) as end, suppress(Died):
        end.operations = survived
        await sweep(runtime)
    for _ in range(3):
        clock.advance(runtime.takeover_ms / 1000 + 1)
        await sweep(runtime)
    assert (await work(runtime, flow)).state == FlowState.COMPLETED
    assert Counter(each.state for each in await jobs_of(runtime, flow)) == {NodeState.FAILED: 2, NodeState.COMPLETED: 3}
    assert await runtime.part(OpenQueues).snapshot(0) == []
