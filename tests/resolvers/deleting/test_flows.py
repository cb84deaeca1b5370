"""What becomes of flows when they, or what they use, are deleted."""

from __future__ import annotations

from collections import Counter

import pytest

from resolvers.deleting import flows as deleting
from resolvers.deleting import jobs as deleting_jobs
from resolvers.deleting import variables as deleting_variables
from resolvers.errors import LeaseLost, NotFound
from resolvers.flows import control, reading
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import leases
from storage import FlowState, NodeState, Store
from tests.resolvers.deleting.ledger import counted, removed
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import claim, report_all, work
from tests.resolvers.flows.shapes import ONE
from tests.resolvers.playing import Clock, leases_of

DELETED = "the job 'bare' is deleted and computes nothing more"


@pytest.mark.parametrize("keep_going", [False, True])
async def test_what_a_flow_wants_of_a_deleted_job_fails(runtime: Runtime, clock: Clock, keep_going: bool) -> None:
    await open_pool(runtime)
    below = Level([Job("bare", alias="taken"), Job("bare", alias="waiting"), Job("number", "zero")])
    flow = await submit(runtime, Level([Job("bare", alias="late"), Job("number", "three")], [below]), keep_going)
    taken = await claim(runtime, 1, jobs=frozenset({"bare"}))
    await deleting_jobs.delete(runtime, "bare")
    [extension] = await leases.extend(runtime, leases_of(taken))
    assert isinstance(extension.problem, LeaseLost)
    [receipt] = await report_all(runtime, taken)
    assert isinstance(receipt.problem, LeaseLost)
    await sweep(runtime)
    await work(runtime, flow)
    await removed(runtime, clock)
    ended = await reading.get(runtime, flow.key)
    assert ended.state == (FlowState.COMPLETED if keep_going else FlowState.FAILED)
    found = await jobs_of(runtime, flow)
    failed = {each.alias: each.reason for each in found if each.state == NodeState.FAILED}
    if keep_going:
        assert failed == dict.fromkeys(("taken", "waiting", "late"), DELETED)
        assert Counter(each.state for each in found)[NodeState.COMPLETED] == 2
    else:
        assert DELETED in failed.values()
        assert ended.reason.endswith(DELETED)


async def test_a_paused_flow_fails_with_its_deleted_job(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, ONE)
    await control.pause(runtime, flow.key)
    await deleting_jobs.delete(runtime, "number")
    await sweep(runtime)
    assert (await reading.get(runtime, flow.key)).state == FlowState.FAILED


async def test_a_run_has_a_copy_of_its_variable_and_a_job_that_has_not_begun_fails(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three", alias="late")], [Level([Job("number", "three")])]), True)
    await deleting_variables.delete(runtime, "number", ["three"])
    assert (await work(runtime, flow)).state == FlowState.COMPLETED
    states = {each.alias: (each.state, each.reason) for each in await jobs_of(runtime, flow)}
    assert states["number"][0] == NodeState.COMPLETED
    assert states["late"] == (NodeState.FAILED, "the variable 'three' of the job 'number' is deleted")


async def test_a_deleted_flow_is_gone_with_all_that_was_made_for_it(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    await open_pool(runtime)
    before = await counted(store)
    root = Level([Job("number", "three")] * 3, [Level([Job("number", "zero")] * 2)])
    flow = await submit(runtime, root, idempotency_key="once")
    other = await submit(runtime, ONE)
    held = [each for each in await claim(runtime, 6) if each.unit.flow == flow.id]
    await report_all(runtime, held[:1])
    await deleting.delete(runtime, flow.key)
    assert [each.key for each in (await reading.page(runtime, first=10))[0]] == [other.key]
    with pytest.raises(NotFound):
        await reading.get_level(runtime, flow.key, "0")
    [extension] = await leases.extend(runtime, leases_of(held[1:2]))
    assert isinstance(extension.problem, LeaseLost)
    assert all(isinstance(each.problem, LeaseLost) for each in await report_all(runtime, held[1:]))
    assert not [each for each in await claim(runtime, 10, host="bob") if each.unit.flow == flow.id]
    await removed(runtime, clock)
    await deleting.delete(runtime, other.key)
    await removed(runtime, clock)
    left = await counted(store)
    assert {name: count for name, count in left.items() if name != "lanes"} == before
